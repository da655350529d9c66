import { toTimestamp } from '../../kernel/index.ts';
import { NotApplicable } from '../case.ts';
import { comesToPass } from './comes-to-pass.ts';
import { factsOf, type PlayedHost, type Schemas } from './played-host.ts';
import type { OrchestratorStage } from './stage.ts';

type Wanted = Schemas['wanted'];
type Order = Schemas['agent-upgrade'];
type Facts = NonNullable<Schemas['host-facts']['agentUpgrade']>;

/** Of the program that played hosts have at first. */
const OLD_DIGEST = `sha256:${'1'.repeat(64)}`;
export const ABLE: Facts = { possible: true, digest: OLD_DIGEST };
export const SOON_SECONDS = 10;
/** In which an order that must not come would come. */
export const WATCH_SECONDS = 3;

/** A host with an order, as it has just been told. */
export interface Ordered {
  readonly host: PlayedHost;
  readonly order: Order;
  readonly leaseSeconds: number;
}

/** Has these hosts upgraded, and ends that whatever comes of it. */
export async function upgrading(
  { operator }: OrchestratorStage,
  hosts: readonly PlayedHost[],
  act: () => Promise<void>,
): Promise<void> {
  await operator.do('upgrade-begin', ...hosts.map(({ hostId }) => hostId));
  try {
    await act();
  } finally {
    await operator.do('upgrade-end');
  }
}

/** Hosts that have come up, and say so of their agents. */
export async function openHosts(
  stage: OrchestratorStage,
  count: number,
  agentUpgrade: Facts,
): Promise<readonly PlayedHost[]> {
  const hosts: PlayedHost[] = [];
  for (let number = 1; number <= count; number += 1) {
    const host = await stage.enrolledHost();
    await host.comeUp();
    await host.expect(200, 'putFacts', { sequence: 2, body: { ...factsOf(host.hostId), agentUpgrade } });
    hosts.push(host);
  }
  return hosts;
}

/** Asks for each of them, which renews its lease. */
export async function ordersOf(hosts: readonly PlayedHost[]): Promise<readonly Ordered[]> {
  const all = await Promise.all(
    hosts.map(async (host) => ({ host, wanted: await host.expect<Wanted>(200, 'getWanted') })),
  );
  return all.flatMap(({ host, wanted: { agentUpgrade, leaseSeconds } }) =>
    agentUpgrade === undefined ? [] : [{ host, order: agentUpgrade, leaseSeconds }],
  );
}

/** Those with an order, once there are so many. */
export async function ordered(
  stage: OrchestratorStage,
  hosts: readonly PlayedHost[],
  count: number,
): Promise<readonly Ordered[]> {
  let found: readonly Ordered[] = [];
  await becomes(stage, hosts, (orders) => (found = orders).length >= count);
  return found;
}

/** Of hosts of an upgrade that has just begun, the one of the first wave. @throws NotApplicable where none gets an order */
export async function firstOrdered(stage: OrchestratorStage, hosts: readonly PlayedHost[]): Promise<Ordered> {
  const [first] = await ordered(stage, hosts, 1);
  if (first === undefined) throw noneOrdered();
  return first;
}

export function noneOrdered(): NotApplicable {
  return new NotApplicable('no host got an order: needs an upgrade that begins at once');
}

/** Those with an order beyond so many, after a while in which all of them are there. */
export async function watch(
  stage: OrchestratorStage,
  hosts: readonly PlayedHost[],
  count: number,
  seconds = WATCH_SECONDS,
): Promise<readonly Ordered[]> {
  let found: readonly Ordered[] = [];
  await becomes(stage, hosts, (orders) => (found = orders).length > count, seconds);
  return found.slice(count);
}

/** Whether the orders of these hosts become so. */
export function becomes(
  stage: OrchestratorStage,
  hosts: readonly PlayedHost[],
  isSo: (orders: readonly Ordered[]) => boolean,
  seconds = SOON_SECONDS,
): Promise<boolean> {
  return comesToPass(stage, async () => isSo(await ordersOf(hosts)), seconds);
}

/** States facts that say how the order has ended. */
export async function say(
  stage: OrchestratorStage,
  { host, order }: Ordered,
  state: 'CONFIRMED' | 'ROLLED_BACK',
): Promise<void> {
  const { orderId, version, artifact } = order;
  const isNew = state === 'CONFIRMED';
  const agentUpgrade: Facts = {
    possible: true,
    digest: isNew ? artifact.digest : OLD_DIGEST,
    order: {
      orderId,
      version,
      state,
      at: toTimestamp(stage.clock.now()),
      ...(isNew ? {} : { reason: 'the kit plays a version that does not come up' }),
    },
  };
  const agentVersion = isNew ? version : 'conformance-kit';
  await host.expect(200, 'putFacts', {
    sequence: 3,
    body: { ...factsOf(host.hostId), agentVersion, agentUpgrade },
  });
}
