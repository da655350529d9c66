import { appendFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { messageOf, randomIds, systemClock } from '../../kernel/index.ts';
import {
  DeviceClient,
  GENERATED,
  planPlay,
  playLoad,
  prepareDevices,
  readTrace,
  removeDevices,
  renderTrace,
  type DevicesOptions,
  type LoadResult,
  type PlayPlan,
  type ProgressFigures,
} from '../../load/index.ts';
import { numberWithin, wholeNumber } from '../arguments.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { LiveBlock } from '../live-block.ts';
import { fixedTarget, serviceTarget, type LoadTarget } from '../load-target.ts';
import { declaredText, progressBlock, progressLine, resultText } from '../load-text.ts';
import { printJson, printText, say, type OutputFormat } from '../output.ts';
import { stopSignal } from '../stop-signal.ts';

interface PlayCommandOptions {
  readonly trace: string;
  readonly service?: string;
  readonly function?: string;
  readonly gateway: readonly string[];
  readonly devices: number;
  readonly registering: number;
  readonly peak?: number;
  readonly speed: number;
  readonly reads: number;
  readonly from: number;
  readonly for?: number;
  readonly seed: number;
  readonly late: number;
  readonly timeout: number;
  readonly inFlight: number;
  readonly cseName?: string;
  readonly json?: string;
  readonly progress?: string;
  readonly keep?: boolean;
}

const LOOK_MILLISECONDS = 1_000;
/** Where nobody watches, a line each so many seconds. */
const LINE_SECONDS = 5;
const CSE_NAME = 'cse-in';

/** `iotmano load …`: demand curves, played as simulated devices. */
export function addLoadCommands(program: Command, env: Environment): void {
  const group = program.command('load').description('play demand curves as simulated devices, open loop');
  addPlay(group, env);
  group
    .command('trace <name>')
    .description(`print a generated trace as CSV: ${GENERATED.join(', ')}`)
    .option('--seed <number>', 'of its chance', wholeNumber('--seed', 0), 1)
    .action((name: string, { seed }: { seed: number }) => {
      process.stdout.write(renderTrace(readTrace(`generated:${name}`, seed)));
    });
}

function addPlay(group: Command, env: Environment): void {
  const positive = (option: string) => numberWithin(option, 'a number above 0', (value) => value > 0);
  group
    .command('play')
    .description(
      'play a trace as devices that register, write values and read at a CSE over HTTP; ends with 1 when a request failed',
    )
    .requiredOption('--trace <file>', `CSV "timestamp,value", or generated:${GENERATED.join('|')}`)
    .option('--service <name>', 'the service to ask: at its load balancer, else at its gateways')
    .option('--function <name>', 'the function of the service that devices ask')
    .option('--gateway <url>', 'a point of access of any CSE (repeatable), without a service', collectUrl, [])
    .option('--devices <number>', 'simulated devices', wholeNumber('--devices', 1), 50)
    .option(
      '--registering <number>',
      'devices that register at the same time',
      wholeNumber('--registering', 1),
      16,
    )
    .option(
      '--peak <rate>',
      'requests per second at the highest value; one a device otherwise',
      positive('--peak'),
    )
    .option('--speed <factor>', 'seconds of the trace in one second', positive('--speed'), 1)
    .option(
      '--reads <share>',
      'share of the requests that read',
      numberWithin('--reads', 'a number from 0 to 1', (value) => value <= 1),
      0.2,
    )
    .option('--from <seconds>', 'place in the trace to begin at', wholeNumber('--from', 0), 0)
    .option('--for <seconds>', 'how long to play at most', positive('--for'))
    .option('--seed <number>', 'of the arrivals and of a generated trace', wholeNumber('--seed', 0), 1)
    .option('--late <milliseconds>', 'an answer after more is late', positive('--late'), 1000)
    .option('--timeout <seconds>', 'how long a device waits for its answer', positive('--timeout'), 30)
    .option('--in-flight <number>', 'requests under way at most', wholeNumber('--in-flight', 1), 4000)
    .option('--cse-name <name>', `name of the CSEBase; that of the service, or ${CSE_NAME}`)
    .option('--json <file>', 'write the result there as JSON, too')
    .option('--progress <file>', 'write each second there as it goes, as a line of JSON')
    .option('--keep', 'leave the devices registered')
    .action(async (options: PlayCommandOptions, command: Command) => {
      const { output = 'table' } = command.optsWithGlobals<{ output?: OutputFormat }>();
      const trace = readTrace(options.trace, options.seed);
      const terms = {
        devices: options.devices,
        peakPerSecond: options.peak ?? options.devices,
        speed: options.speed,
        fromSeconds: options.from,
        forSeconds: options.for ?? Infinity,
        readShare: options.reads,
        seed: options.seed,
      };
      const plan = planPlay(trace, terms);
      if (options.progress !== undefined) writeFile('--progress', options.progress, '');
      const target = await targetOf(options, command, env);
      const result = await play(options, env, { plan, target, peakPerSecond: terms.peakPerSecond });
      const document = {
        trace: trace.name,
        ...terms,
        forSeconds: plan.seconds,
        declared: target.declared,
        ...result,
      };
      if (options.json !== undefined)
        writeFile('--json', options.json, `${JSON.stringify(document, null, 2)}\n`);
      if (output === 'json') printJson(document);
      else printText(resultText(result, target.declared));
      if (result.requests.failed > 0) process.exitCode = EXIT.failed;
    });
}

function targetOf(options: PlayCommandOptions, command: Command, env: Environment): Promise<LoadTarget> {
  const { service, gateway } = options;
  if ((service === undefined) === (gateway.length === 0))
    throw new CliFailure(EXIT.usage, 'say where to: --service, or --gateway, one of them');
  if (service === undefined) return Promise.resolve(fixedTarget(gateway));
  return serviceTarget(contextOf(command, env).client, service, options.function);
}

interface Stage {
  readonly plan: PlayPlan;
  readonly target: LoadTarget;
  readonly peakPerSecond: number;
}

async function play(options: PlayCommandOptions, env: Environment, stage: Stage): Promise<LoadResult> {
  const { plan, target } = stage;
  const token = env['IOTMANO_DEVICE_TOKEN'] ?? '';
  const stop = new AbortController();
  void stopSignal().then(() => stop.abort());
  let onResent: () => void = () => undefined;
  const client = new DeviceClient({
    timeoutMilliseconds: options.timeout * 1000,
    maxConnections: options.inFlight,
    onResent: () => onResent(),
    ...(token === '' ? {} : { token }),
  });
  const ask = client.send.bind(client);
  const devices: DevicesOptions = {
    count: options.devices,
    cseName: options.cseName ?? target.cseName ?? CSE_NAME,
    targets: target.urls,
    atOnce: options.registering,
    run: randomIds.uuid(),
  };
  try {
    for (const capacity of target.declared) say(declaredText(capacity));
    say(`registering ${options.devices} devices at ${target.urls().join(', ')}`);
    await prepareDevices(ask, devices, systemClock);
    const looking = followTarget(target, stop.signal);
    const result = await playLoad(
      {
        plan,
        terms: { devices: options.devices, readShare: options.reads, seed: options.seed },
        devices,
        lateAfterMilliseconds: options.late,
        maxInFlight: options.inFlight,
        clock: systemClock,
        signal: stop.signal,
        onProgress: progressTeller(stage, options.progress),
        ...(target.instances === undefined ? {} : { instances: target.instances }),
      },
      (report) => {
        onResent = report;
        return ask;
      },
    );
    stop.abort();
    await looking;
    if (options.keep !== true) await removeDevices(ask, devices, systemClock);
    return result;
  } finally {
    stop.abort();
    client.close();
  }
}

/** An orchestrator that is away for a while changes nothing for the devices. */
async function followTarget(target: LoadTarget, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await systemClock.sleep(LOOK_MILLISECONDS, signal);
    await target.refresh().catch(() => undefined);
  }
}

type Teller = (progress: ProgressFigures) => void;

function progressTeller({ plan, peakPerSecond }: Stage, file: string | undefined): Teller {
  const tell = forPeople(plan, peakPerSecond);
  if (file === undefined) return tell;
  return (progress) => {
    appendFileSync(file, `${JSON.stringify(progress)}\n`);
    tell(progress);
  };
}

function forPeople(plan: PlayPlan, peakPerSecond: number): Teller {
  if (process.stderr.isTTY) {
    const block = new LiveBlock(process.stderr);
    return (progress) => block.show(progressBlock(progress, plan.seconds, peakPerSecond));
  }
  return (progress) => {
    if (progress.second % LINE_SECONDS === 0) say(progressLine(progress, plan.seconds));
  };
}

function writeFile(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliFailure(EXIT.usage, `${option} ${file} cannot be written (${messageOf(error)})`);
  }
}

function collectUrl(text: string, collected: readonly string[]): readonly string[] {
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:')
    throw new CliFailure(
      EXIT.usage,
      `--gateway wants an http URL, e.g. http://127.0.0.1:8080; got "${text}"`,
    );
  return [...collected, text];
}
