/** Builds and reads a package in a process of its own; writes what memory that took, as JSON. For the memory test. */
import { buildPackage, readPackage } from './index.ts';

const [, , directory = '', file = '', extractTo = ''] = process.argv;
const buildFaults = await buildPackage(directory, file);
const { faults, files } = await readPackage(file, { extractTo });
const report = {
  faults: [...buildFaults, ...faults],
  bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  // Of the whole process, at its highest.
  residentMiB: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(JSON.stringify(report));
