import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type * as Conformance from '../conformance/index.ts';
import { messageOf, randomIds, systemClock } from '../kernel/index.ts';
import { parseListen } from './arguments.ts';
import { CliFailure, EXIT } from './failure.ts';
import { finish, list, stopping, tellCase, write, type KitFlags } from './kit-run.ts';
import { say } from './output.ts';

export interface AgentKitFlags extends KitFlags {
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

/** `iotmano conformance agent`: plays an orchestrator. @throws CliFailure, IotmanoError */
export async function runAgentKit(flags: AgentKitFlags, command: Command): Promise<void> {
  const kit = await import('../conformance/index.ts');
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
