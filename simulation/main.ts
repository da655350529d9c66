/** Plays a scenario against the real planner and lifecycle in virtual time: `npm run simulate -- SCENARIO.yaml`. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, parseSeconds } from '../kernel/index.ts';
import { type Fault } from '../descriptors/index.ts';
import { renderReport, renderTimings } from './render-report.ts';
import { runSimulation } from './run-simulation.ts';
import { parseScenario } from './scenario/parse-scenario.ts';
import { scaleScenario } from './scenario/scale-scenario.ts';

const USAGE = `Usage: npm run simulate -- SCENARIO.yaml [options]

  -o, --output table|json  how the report is written (default: table)
      --seed NUMBER        instead of the scenario's own
      --duration TIME      instead of the scenario's own: 90s, 30m, 6h, 7d
      --hosts-scale FACTOR so many times the hosts of each group
      --load-scale FACTOR  so many times the function instances that events deploy
  -h, --help

The report goes to standard output, and is the same each time for the same scenario, seed and options; how long it took goes to standard
error. docs/how-to/simulate.md says how to write a scenario, and how to read the report.`;

/** Status of a command that was given something wrong. */
const MISUSED = 2;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o', default: 'table' },
      seed: { type: 'string' },
      duration: { type: 'string' },
      'hosts-scale': { type: 'string', default: '1' },
      'load-scale': { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return tell(USAGE, 0);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) return complain(`name one scenario\n\n${USAGE}`);
  if (values.output !== 'table' && values.output !== 'json')
    return complain(`--output is ${JSON.stringify(values.output)}: it is table or json`);
  const scale = {
    hosts: factorOf(values['hosts-scale']),
    load: factorOf(values['load-scale']),
    ...(values.seed === undefined ? {} : { seed: seedOf(values.seed) }),
    ...(values.duration === undefined
      ? {}
      : { durationSeconds: parseSeconds(values.duration) ?? Number.NaN }),
  };
  if (!((scale.durationSeconds ?? 1) > 0))
    return complain('--duration is a number and a unit, above 0: 90s, 30m, 6h or 7d');
  if (Number.isNaN(scale.hosts) || Number.isNaN(scale.load) || Number.isNaN(scale.seed ?? 0))
    return complain(
      '--hosts-scale and --load-scale are numbers above 0, --seed a whole number up to 4294967295',
    );
  const { scenario, faults } = parseScenario(readFileSync(file, 'utf8'), {
    file,
    readFile: (path) => readFileSync(resolve(dirname(file), path), 'utf8'),
  });
  if (scenario === undefined) return complain(faults.map(faultLine).join('\n'));
  const { report, timings } = await runSimulation(scaleScenario(scenario, scale), {
    readMilliseconds: () => performance.now(),
  });
  process.stderr.write(`${renderTimings(timings, report)}\n`);
  return tell(values.output === 'json' ? JSON.stringify(report, undefined, 2) : renderReport(report), 0);
}

function factorOf(text: string): number {
  const factor = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  return factor > 0 ? factor : Number.NaN;
}

function seedOf(text: string): number {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 ? Number(text) : Number.NaN;
}

function faultLine({ file, line = 1, column = 1, rule, message, remedy }: Fault): string {
  return `${file}:${line}:${column} [${rule}] ${message}: ${remedy}`;
}

function tell(text: string, status: number): number {
  process.stdout.write(`${text}\n`);
  return status;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return MISUSED;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = complain(`simulate: ${messageOf(error)}`);
}
