import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { AgentOptions } from '../../agents/index.ts';
import {
  createLogger,
  messageOf,
  parseId,
  randomIds,
  systemClock,
  type HostId,
  type LogLevel,
} from '../../kernel/index.ts';
import { DEFAULT_URL, defaultDataDirectory, type Environment } from '../context.ts';
import { logLevelOption } from '../arguments.ts';
import { becomeVersion } from '../become-version.ts';
import { addFactOptions, statedFacts, type FactFlags } from '../fact-options.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { say } from '../output.ts';
import { ownVersion } from '../own-version.ts';
import { addAgentReleaseCommands } from './agent-release-commands.ts';
import { addAgentUpgradeCommands } from './agent-upgrade-commands.ts';
import { stopSignal } from '../stop-signal.ts';

interface AgentFlags extends FactFlags {
  readonly server: string;
  readonly mco?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly hostId: string;
  readonly data?: string;
  readonly m2mSpId?: string;
  readonly caFile?: string;
  readonly insecureHttp?: boolean;
  readonly stopFunctions?: boolean;
  readonly rotateSealingKey?: boolean;
  readonly newKey?: boolean;
  readonly selfUpgrade?: boolean;
  readonly logLevel: LogLevel;
}

/** `iotmano agent …`: the orchestration agent and the monitoring agent of this host, and the versions of those of all hosts. */
export function addAgentCommands(program: Command, env: Environment): void {
  const group = program
    .command('agent')
    .description("run this host's orchestration and monitoring agents; upgrade those of all hosts");
  addAgentActions(group, env);
  addAgentReleaseCommands(group, env);
  addAgentUpgradeCommands(group, env);
}

/** `run`, `enrol` and `leave`. */
export function addAgentActions(group: Command, env: Environment): void {
  withFlags(group.command('run'), env)
    .description('run both agents until SIGTERM or SIGINT; functions run on without them')
    .option('--stop-functions', 'stop the functions, too, when the agent is told to stop')
    .option(
      '--rotate-sealing-key',
      'make a new key for the secrets of functions; those on disk are sealed anew',
    )
    .option('--no-self-upgrade', 'stay at this version: something else brings newer ones, such as an image')
    .action(async (flags: AgentFlags) => {
      const { followParent, restartInstalled, runAgent } = await import('../../agents/index.ts');
      const program = await chooseProgram(flags, env, true);
      const isOnTrial = typeof program === 'object' && program.trialOf !== undefined;
      if (isOnTrial) followParent();
      const onStarted = (): void => say(`agent of ${flags.hostId} runs`);
      const end = await runAgent({ ...agentOptions(flags, env), program, onStarted });
      // What is done once at a start is not done again by the next version.
      const args = process.argv.slice(2).filter((arg) => arg !== '--rotate-sealing-key');
      if (end === 'switch' && typeof program === 'object' && !isOnTrial) restartInstalled(program, args, env);
    });

  withFlags(group.command('enrol'), env)
    .description('enrol this host with a one-time token (see "iotmano token enrol") and end')
    .option('--new-key', 'make a new key for this host, whose present one was revoked')
    .action(async (flags: AgentFlags) => {
      const { enrolHost } = await import('../../agents/index.ts');
      await chooseProgram(flags, env, false);
      await enrolHost(agentOptions(flags, env));
      say(`${flags.hostId} is enrolled; start it with "iotmano agent run"`);
    });

  withFlags(group.command('leave'), env)
    .description('drain this host, have it forgotten, and end')
    .action(async (flags: AgentFlags) => {
      const { leaveOrchestrator } = await import('../../agents/index.ts');
      await chooseProgram(flags, env, false);
      if (!(await leaveOrchestrator(agentOptions(flags, env))))
        throw new CliFailure(EXIT.failed, `${flags.hostId} has not left yet; run the command again`);
      say(`${flags.hostId} has left`);
    });
}

function withFlags(command: Command, env: Environment): Command {
  return addFactOptions(command)
    .option('--server <url>', 'where the orchestrator answers', env['IOTMANO_URL'] ?? DEFAULT_URL)
    .option(
      '--mco <url>',
      'the binding of Mco: servers of NATS as tls://host:4222[,tls://host2:4222], or what --server is for (HTTP)',
    )
    .option(
      '--token <token>',
      'one-time enrolment token, for the first start only; who may list processes can read it, unlike IOTMANO_ENROLMENT_TOKEN',
    )
    .option(
      '--token-file <file>',
      'file that holds the enrolment token; it may be gone after the first start',
    )
    .option(
      '--host-id <hostId>',
      'name of this host for ever',
      hostname()
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]/g, '-')
        .slice(0, 40),
    )
    .option(
      '--data <directory>',
      "this agent's own directory (default: agents/HOST-ID in the data directory)",
    )
    .option('--m2m-sp-id <id>', 'M2M service provider that is expected')
    .option('--ca-file <file>', 'further certificate authorities (PEM)')
    .option('--insecure-http', 'allow plain HTTP to other machines: everything then travels in the clear')
    .addOption(logLevelOption());
}

/** As `becomeVersion`, for the host that the flags name. */
function chooseProgram(
  flags: AgentFlags,
  env: Environment,
  mayTry: boolean,
): ReturnType<typeof becomeVersion> {
  const isAllowed = flags.selfUpgrade !== false;
  const log = createLogger('agent', flags.logLevel);
  return becomeVersion({ isAllowed, dataDirectory: resolve(dataDirectoryOf(flags, env)), env, mayTry, log });
}

function dataDirectoryOf({ data, hostId }: AgentFlags, env: Environment): string {
  return data ?? join(defaultDataDirectory(env), 'agents', hostId);
}

function agentOptions(flags: AgentFlags, env: Environment): AgentOptions {
  const { hostId, server, mco = server } = flags;
  const abort = new AbortController();
  void stopSignal().then(() => abort.abort());
  return {
    hostId: parseId<HostId>(hostId, '--host-id'),
    serverUrl: mco,
    enrolmentToken: enrolmentToken(flags, env),
    dataDirectory: dataDirectoryOf(flags, env),
    facts: statedFacts(flags),
    latencyTargets: flags.latencyTo,
    ...(flags.m2mSpId === undefined ? {} : { m2mSpId: flags.m2mSpId }),
    ...(flags.caFile === undefined ? {} : { caFile: flags.caFile }),
    ...(flags.insecureHttp === undefined ? {} : { isInsecureHttpAllowed: flags.insecureHttp }),
    ...(flags.stopFunctions === undefined ? {} : { mustStopFunctions: flags.stopFunctions }),
    ...(flags.rotateSealingKey === undefined ? {} : { mustRotateSealingKey: flags.rotateSealingKey }),
    ...(flags.newKey === undefined ? {} : { mustMakeKey: flags.newKey }),
    runtimeDirectory: env['XDG_RUNTIME_DIR'],
    agentVersion: ownVersion(),
    clock: systemClock,
    ids: randomIds,
    random: Math.random,
    log: createLogger('agent', flags.logLevel),
    signal: abort.signal,
  };
}

/** The most deliberate way wins: option, file, environment. A file that is gone has done its work. */
function enrolmentToken({ token, tokenFile }: AgentFlags, env: Environment): string | undefined {
  const given = token ?? (tokenFile === undefined ? env['IOTMANO_ENROLMENT_TOKEN'] : readToken(tokenFile));
  return given?.trim() === '' ? undefined : given?.trim();
}

function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      say(`there is no file ${file}: this host starts without an enrolment token`);
      return undefined;
    }
    throw new CliFailure(EXIT.usage, `--token-file wants a file that can be read; ${messageOf(error)}`);
  }
}
