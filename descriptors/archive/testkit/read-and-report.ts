/** Builds and reads a package in a process of its own; writes what memory that took, as JSON. For the memory test. */
import { buildPackage, readPackage } from '../index.ts';

const highestMiB = () => Math.round(process.resourceUsage().maxRSS / 1024);

const [, , directory = '', file = '', extractTo = ''] = process.argv;
const before = highestMiB();
const buildFaults = await buildPackage(directory, file);
const { faults, files } = await readPackage(file, { extractTo });
const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
const report = { faults: [...buildFaults, ...faults], bytes, grownMiB: highestMiB() - before };
process.stdout.write(JSON.stringify(report));
