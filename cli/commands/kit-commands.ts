import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import type * as Conformance from '../../conformance/index.ts';
import type { AgentWire, CaseResult, ConformanceResult, ReportFormat } from '../../conformance/index.ts';
import { IotmanoError, messageOf, randomIds, systemClock } from '../../kernel/index.ts';
import { parseListen, wholeNumber } from '../arguments.ts';
import type { Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { printText, say, type OutputFormat } from '../output.ts';
import { stopSignal } from '../stop-signal.ts';

interface KitFlags {
  readonly binding: 'http' | 'nats';
  readonly only?: readonly string[];
  readonly list?: boolean;
  readonly timeout: number;
  readonly format?: ReportFormat;
  readonly file?: string;
}

interface AgentKitFlags extends KitFlags {
  readonly listen: string;
  readonly workload?: string;
  readonly restartCommand?: string;
  readonly rekeyCommand?: string;
  readonly hostId: string;
  readonly natsServer: string;
  readonly natsServers: number;
  readonly leaveCommand?: string;
  readonly agentRelease?: string;
  readonly agentReleaseVersion?: string;
  readonly wait: number;
  readonly writeCa?: string;
  readonly certificateLife: number;
}

interface OrchestratorKitFlags extends KitFlags {
  readonly target?: string;
  readonly token?: readonly string[];
  readonly operatorCommand?: string;
  readonly byHand?: boolean;
  readonly caFile?: string;
}

const HELP = `
Exit codes: 0 nothing has failed   1 something has failed   2 nothing could be checked
What each side needs, and every case: docs/conformance.md`;

/** `iotmano conformance …`: checks one side of the reference point Mco, whoever made it. */
export function addKitCommands(program: Command, env: Environment): void {
  const group = program
    .command('conformance')
    .description('check an agent or an orchestrator that anybody made against the requirements of Mco');

  withKitFlags(group.command('agent'))
    .description('play an orchestrator, and check the agent that comes')
    .option(
      '--listen <address:port>',
      "where the agent finds the kit; port 0 takes a free one; https:// before it: over TLS, with an authority of the kit's own; nats://: the same as --binding nats",
      '127.0.0.1:0',
    )
    .option(
      '--write-ca <file>',
      'over TLS: where the certificate of the authority of the kit is written; default: a new directory for temporary files',
    )
    .option(
      '--certificate-life <seconds>',
      'over TLS: life of the certificate whose renewal is watched',
      wholeNumber('--certificate-life', 3),
      15,
    )
    .option('--host-id <id>', 'over NATS: the host that the agent is to be', 'kit-agent')
    .option('--nats-server <program>', 'over NATS: the program that the kit starts', 'nats-server')
    .option(
      '--nats-servers <number>',
      'over NATS: servers, 3 for a cluster',
      wholeNumber('--nats-servers', 1),
      1,
    )
    .option('--workload <file>', 'what the host of the agent can run (JSON); default: a process with node')
    .option(
      '--restart-command <command>',
      'kills the agent with SIGKILL, waits PAUSE_SECONDS and starts it again',
    )
    .option('--rekey-command <command>', 'as that, and takes its key for sealed values away in between')
    .option('--leave-command <command>', 'lets the agent leave, and ends when it has')
    .option('--agent-release <file>', 'a newer program of the agent: one file, that it may become')
    .option('--agent-release-version <version>', 'what that program calls itself')
    .option('--wait <seconds>', 'how long the agent is waited for', wholeNumber('--wait', 1), 120)
    .addHelpText('after', HELP)
    .action((flags: AgentKitFlags, command: Command) => orCouldNot(() => runAgentKit(flags, command)));

  withKitFlags(group.command('orchestrator'))
    .description('play agents, and check the orchestrator that they speak to')
    .option(
      '--target <url>',
      'where the orchestrator answers; for NATS nats://host:port, several separated by commas',
    )
    .option(
      '--token <token...>',
      'one-time enrolment tokens that any host may use, for NATS TOKEN~JWT; IOTMANO_ENROLMENT_TOKEN is taken, too',
    )
    .option(
      '--operator-command <command>',
      'does what an operator does: is run with an action and its arguments',
    )
    .option('--by-hand', 'ask for what an operator has to do, and wait for Enter')
    .option('--ca-file <file>', 'the certificate authorities of its server, and no others (PEM)')
    .addHelpText('after', HELP)
    .action((flags: OrchestratorKitFlags, command: Command) =>
      orCouldNot(() => runOrchestratorKit(flags, command, env)),
    );
}

function withKitFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--binding <binding>', 'what carries the messages')
        .choices(['http', 'nats'])
        .default('http'),
    )
    .option('--only <ids>', 'requirements or cases to play, separated by commas', split)
    .option('--list', 'list the cases and the requirements that they show, and end')
    .option('--timeout <seconds>', 'longest time of one case', wholeNumber('--timeout', 1), 60)
    .addOption(
      new Option('--format <format>', 'of the result; default: table').choices(['table', 'json', 'junit']),
    )
    .option('-f, --file <file>', 'write the result there; what is shown is a line for each case then');
}

function split(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

async function runAgentKit(flags: AgentKitFlags, command: Command): Promise<void> {
  const kit = await import('../../conformance/index.ts');
  if (flags.list === true) return list(kit.AGENT_CASES);
  const plan = await planOf(flags, kit);
  const { signal, stopped } = stopping();
  try {
    const result = await kit.checkAgent({
      release: releaseOf(flags),
      only: flags.only,
      hands: handsOf(flags, kit),
      listen: plan.listen,
      workload: flags.workload === undefined ? kit.DEFAULT_WORKLOAD : kit.readWorkloadFile(flags.workload),
      timeoutSeconds: flags.timeout,
      waitSeconds: flags.wait,
      certificateSeconds: flags.certificateLife,
      clock: systemClock,
      ids: randomIds,
      signal,
      onListening: (started) => tellStart(started, plan.caFile),
      onCase: tellCase,
    });
    finish(result, flags, command, kit, stopped());
  } finally {
    plan.tidyUp();
  }
}

/** How the agent is listened for, and over TLS the file that it needs for that. */
interface ListenPlan {
  readonly listen: Conformance.AgentRunOptions['listen'];
  readonly caFile?: string;
  tidyUp(): void;
}

async function planOf(
  flags: AgentKitFlags,
  kit: Pick<typeof Conformance, 'createKitAuthority' | 'listenOverHttp' | 'listenOverNats'>,
): Promise<ListenPlan> {
  const [, scheme = flags.binding, listen = ''] =
    /^(?:(nats|http|https):\/\/)?(.*)$/.exec(flags.listen) ?? [];
  const { host: address, port } = parseListen('--listen', listen);
  const tidyUp = (): void => undefined;
  if (scheme !== 'https') {
    requireLoopback(address);
    const plan = natsPlanOf(flags, address, port);
    return {
      tidyUp,
      listen: (handler) =>
        scheme === 'nats'
          ? kit.listenOverNats(plan, handler, systemClock)
          : kit.listenOverHttp({ address, port }, handler, systemClock),
    };
  }
  requireOneAddress(address);
  const authority = await kit.createKitAuthority(systemClock);
  const folder = flags.writeCa === undefined ? mkdtempSync(join(tmpdir(), 'mco-kit-')) : undefined;
  const caFile = flags.writeCa ?? join(folder ?? '', 'ca.crt');
  write(caFile, authority.certificate, '--write-ca');
  return {
    listen: (handler) => kit.listenOverHttp({ address, port, authority }, handler, systemClock),
    caFile,
    tidyUp: () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tellStart({ url, token, hostId }: Conformance.Started, caFile: string | undefined): void {
  const told = { orchestrator: url, 'enrolment token': token, 'host id': hostId, authority: caFile };
  const lines = Object.entries(told).flatMap(([name, value]) =>
    value === undefined ? [] : [`\n  ${name.padEnd(15)}  ${value}`],
  );
  say(`Start the agent now, with an empty data directory:${lines.join('')}`);
}

async function runOrchestratorKit(
  flags: OrchestratorKitFlags,
  command: Command,
  env: Environment,
): Promise<void> {
  const kit = await import('../../conformance/index.ts');
  if (flags.list === true) return list(kit.ORCHESTRATOR_CASES);
  const { signal, stopped } = stopping();
  const operator =
    flags.operatorCommand !== undefined
      ? kit.createCommandOperator(flags.operatorCommand, signal)
      : flags.byHand === true
        ? kit.createAskingOperator(process.stdin, process.stderr, signal)
        : kit.NO_OPERATOR;
  const given = env['IOTMANO_ENROLMENT_TOKEN']?.trim() ?? '';
  const tokens = [...(flags.token ?? []), ...(given === '' ? [] : [given])];
  if (tokens.length === 0 && operator === kit.NO_OPERATOR)
    throw new CliFailure(
      EXIT.usage,
      'the kit has to enrol hosts: give --token (or IOTMANO_ENROLMENT_TOKEN), --operator-command or --by-hand',
    );
  const wire = wireOf(flags, kit);
  try {
    const result = await kit.checkOrchestrator({
      wire,
      operator,
      tokens,
      only: flags.only,
      timeoutSeconds: flags.timeout,
      clock: systemClock,
      ids: randomIds,
      signal,
      onCase: tellCase,
    });
    finish(result, flags, command, kit, stopped());
  } finally {
    await wire.close();
  }
}

function handsOf(
  { restartCommand, rekeyCommand, leaveCommand }: AgentKitFlags,
  { shellHand }: Pick<typeof Conformance, 'shellHand'>,
): Conformance.Hands {
  return {
    ...(restartCommand === undefined ? {} : { restart: shellHand('restart', restartCommand) }),
    ...(rekeyCommand === undefined ? {} : { rekey: shellHand('rekey', rekeyCommand) }),
    ...(leaveCommand === undefined ? {} : { leave: shellHand('leave', leaveCommand) }),
  };
}

function releaseOf({
  agentRelease: file,
  agentReleaseVersion: version,
}: AgentKitFlags): Conformance.AgentRunOptions['release'] {
  if (file === undefined && version === undefined) return undefined;
  if (file === undefined || version === undefined)
    throw new CliFailure(EXIT.usage, '--agent-release and --agent-release-version go together: give both');
  try {
    return { content: readFileSync(file), version };
  } catch (error) {
    throw new CliFailure(EXIT.usage, `--agent-release ${file} cannot be read: ${messageOf(error)}`);
  }
}

function natsPlanOf(
  { hostId, natsServer, natsServers }: AgentKitFlags,
  address: string,
  port: number,
): Parameters<typeof Conformance.listenOverNats>[0] {
  return { address, port, hostId, program: natsServer, count: natsServers };
}

/** The target names the binding. */
function wireOf(
  { target = '', binding, caFile }: OrchestratorKitFlags,
  kit: Pick<typeof Conformance, 'createHttpAgentWire' | 'createNatsAgentWire' | 'parseNatsTarget'>,
): AgentWire {
  if (binding === 'nats' || /^(nats|tls):/.test(target))
    return kit.createNatsAgentWire({ ...kit.parseNatsTarget(target, caFile), clock: systemClock });
  return kit.createHttpAgentWire({ target: targetOf(target), caFile, clock: systemClock });
}

/** The kit speaks plain HTTP to its agent, and an agent has to refuse that from any other address (MCO-C-002). */
function requireLoopback(host: string): void {
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return;
  throw new CliFailure(
    EXIT.usage,
    `--listen wants a loopback address, since agents refuse plain HTTP on any other; got "${host}". For an agent on another machine use TLS (--listen https://${host}:…), or forward the port, e.g. ssh -R 8900:127.0.0.1:8900 MACHINE`,
  );
}

/** The certificate of the kit is for the address that the agent uses. */
function requireOneAddress(host: string): void {
  if (host !== '0.0.0.0' && host !== '::') return;
  throw new CliFailure(
    EXIT.usage,
    `--listen https://… wants the one address by which the agent reaches the kit; got "${host}"`,
  );
}

function targetOf(target: string): URL {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CliFailure(
    EXIT.usage,
    `--target wants the http or https URL of the orchestrator, e.g. http://127.0.0.1:8900, or for NATS nats://127.0.0.1:4222; got ${target === '' ? 'nothing' : `"${target}"`}`,
  );
}

function list(
  cases: readonly { readonly id: string; readonly title: string; readonly requirements: readonly string[] }[],
): void {
  for (const { id, title, requirements } of cases)
    printText(`${id}  ${requirements.join(' ')}\n  ${title}\n`);
}

/** Aborted by the first SIGINT or SIGTERM: what has been judged by then is told. */
function stopping(): { readonly signal: AbortSignal; readonly stopped: () => boolean } {
  const abort = new AbortController();
  void stopSignal().then(() => abort.abort());
  return { signal: abort.signal, stopped: () => abort.signal.aborted };
}

const MARKS = { passed: 'passed', failed: 'FAILED', 'not-applicable': 'not applicable' } as const;

function tellCase({ id, verdict, faults, reason, seconds }: CaseResult): void {
  say(`${MARKS[verdict].padEnd(14)}  ${seconds.toFixed(1).padStart(5)} s  ${id}`);
  for (const { requirements, message } of faults) say(`    ${requirements.join(', ')}: ${message}`);
  if (reason !== undefined) say(`    ${reason}`);
}

/** What is loaded when it is needed only. */
type Kit = Pick<typeof Conformance, 'hasPassed' | 'renderResult' | 'summaryOf'>;

function finish(
  result: ConformanceResult,
  flags: KitFlags,
  command: Command,
  kit: Kit,
  isStopped: boolean,
): void {
  const { output } = command.optsWithGlobals<{ output?: OutputFormat }>();
  const text = kit.renderResult(result, flags.format ?? output ?? 'table');
  if (flags.file === undefined) printText(text);
  else write(flags.file, text);
  say(kit.summaryOf(result));
  if (isStopped) throw new CliFailure(EXIT.usage, 'stopped before all cases were played');
  process.exitCode = kit.hasPassed(result) ? EXIT.ok : EXIT.failed;
}

function write(file: string, text: string, option = '--file'): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliFailure(EXIT.usage, `${option} ${file} cannot be written: ${messageOf(error)}`);
  }
}

/** Whatever keeps the kit from checking ends with 2, so that it is never taken for a result. */
async function orCouldNot(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof IotmanoError)) throw error;
    throw new CliFailure(EXIT.usage, `nothing could be checked: ${error.message}`);
  }
}
