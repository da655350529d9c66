import { mkdir } from 'node:fs/promises';
import { IotmanoError, isTransient, messageOf } from '../kernel/index.ts';
import type { AgentOptions } from './agent-options.ts';
import { lockDataDirectory, openIdentity, type HostIdentity } from './identity/index.ts';
import {
  createMcoClient,
  createSessionKeeper,
  chooseTransport,
  plainToken,
  type ClientIdentity,
  type McoClient,
  type SessionKeeper,
  type Transport,
} from './mco-client/index.ts';

export interface Foundation {
  readonly identity: HostIdentity;
  readonly client: McoClient;
  readonly sessions: SessionKeeper;
  readonly transport: Transport;
  close(): void;
}

/** Identity and connection: what there is before anything runs. */
export async function layFoundation(options: AgentOptions): Promise<Foundation> {
  const { dataDirectory, hostId, clock, log, ids } = options;
  const chosen = await chooseTransport(options);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(dataDirectory);
  try {
    const identity = await openIdentity(dataDirectory, hostId, options.mustMakeKey);
    if (options.mustRotateSealingKey === true) await identity.sealingKeys.rotate();
    await demandSameServiceProvider(identity, options.m2mSpId);
    const transport = await chosen.open({
      dataDirectory,
      hostId,
      privateKey: identity.privateKey,
      clientIdentity: () => clientIdentityOf(identity),
    });
    const sessions = createSessionKeeper({
      transport,
      identity,
      bootId: ids.uuid(),
      clock,
      log,
      agentVersion: options.agentVersion,
      enrolmentToken: plainToken(options.enrolmentToken),
    });
    const client = createMcoClient(transport, sessions, hostId, clock);
    const close = (): void => {
      transport.close();
      lock.release();
    };
    return { identity, client, sessions, transport, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function clientIdentityOf({ certificate, privateKey }: HostIdentity): ClientIdentity | undefined {
  if (certificate.current === undefined) return undefined;
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, cert: certificate.current.certificate };
}

/** A host that was never enrolled says at once when it cannot be; one that was goes on without the orchestrator. */
export async function enrolIfNew(
  { identity, sessions }: Foundation,
  { log, signal }: AgentOptions,
): Promise<void> {
  if (identity.document.isEnrolled) return;
  try {
    await sessions.enrol(signal);
  } catch (error) {
    if (!isTransient(error)) throw error;
    log.warn({ reason: messageOf(error) }, 'not enrolled yet; it is tried again');
  }
}

async function demandSameServiceProvider(
  identity: HostIdentity,
  expected: string | undefined,
): Promise<void> {
  const known = identity.document.m2mSpId;
  if (expected === undefined || known === expected) return;
  if (known === undefined) return identity.update({ m2mSpId: expected });
  throw new IotmanoError(
    'conflict',
    `this host is enrolled with the M2M service provider ${known}, not ${expected}; start the agent without --m2m-sp-id, or leave first`,
  );
}
