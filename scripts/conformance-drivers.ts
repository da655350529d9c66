/**
 * Runs the conformance suite over drivers: `npm run conformance:drivers [-- --driver NAME]...`. Prints the table of cases and drivers, why
 * something was skipped or failed, and, as its last line, `{driver: {passed, failed, skipped}}`. Exit code 1 when something failed.
 */
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import { ConformanceReporter } from './conformance/conformance-reporter.ts';
import { isSuiteName, SUITES, type SuiteName } from './conformance/suites.ts';
import { countByDriver, renderTable } from './conformance/table.ts';

const { values } = parseArgs({ options: { driver: { type: 'string', multiple: true } } });
const names = values.driver ?? Object.keys(SUITES);
const unknown = names.filter((name) => !isSuiteName(name));
if (unknown.length > 0) {
  process.stderr.write(
    `there is no driver "${unknown.join('", "')}"; there are: ${Object.keys(SUITES).join(', ')}\n`,
  );
  process.exit(2);
}

const reporter = new ConformanceReporter();
const files = names.filter(isSuiteName).flatMap((name: SuiteName): readonly string[] => SUITES[name].files);
const vitest = await startVitest(files, { watch: false, reporters: [reporter], fileParallelism: false });
await vitest.close();

const { cases } = reporter;
process.stdout.write(`${renderTable(cases)}\n${JSON.stringify(countByDriver(cases))}\n`);
process.exit(cases.some(({ state }) => state === 'failed') ? 1 : 0);
