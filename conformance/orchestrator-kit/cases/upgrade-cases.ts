import { createHash } from 'node:crypto';
import { toTimestamp } from '../../../kernel/index.ts';
import { NotApplicable } from '../../case.ts';
import { factsOf, told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase, OrchestratorStage } from '../stage.ts';

type Wanted = Schemas['wanted'];
type Order = Schemas['agent-upgrade'];

const NEEDS = ['upgrade-begin', 'upgrade-end'] as const;
/** There is one upgrade of agents at a time. */
const TURN = { isWaiting: true, turn: 'upgrades', leastTimeoutSeconds: 240 } as const;
const OLD_DIGEST = `sha256:${'1'.repeat(64)}`;
const SOON_SECONDS = 10;
/** In which an order that must not come would come. */
const WATCH_SECONDS = 3;
const LOOK_SECONDS = 0.25;

export const upgradeCases: readonly OrchestratorCase[] = [
  {
    id: 'agents-are-upgraded-in-waves',
    title:
      'Of hosts to be upgraded one gets the order first, two more once it has the version, and no further when one of these does not come up with it: what was not begun is taken back; a host that cannot is counted apart; the program is for hosts with the order.',
    requirements: ['MCO-O-082', 'MCO-O-098', 'MCO-O-099'],
    needs: [...NEEDS, 'upgrade-state'],
    ...TURN,
    async play(stage, { check }) {
      const reason = `kit-${crypto.randomUUID()}`;
      const able = await openHosts(stage, 4, { possible: true, digest: OLD_DIGEST });
      const [unable] = await openHosts(stage, 1, { possible: false, reason });
      if (unable === undefined) return;
      const all = [...able, unable];
      await stage.operator.do('upgrade-begin', ...all.map(({ hostId }) => hostId));
      try {
        const [first, ...early] = await ordered(stage, all, 1);
        const more = await watch(stage, all, 1);
        check(
          'MCO-O-098',
          !isAmong(unable, [first, ...early, ...more]),
          'a host that cannot be upgraded got an order',
        );
        const tooMany = [...early, ...more].filter((each) => each.host !== unable);
        check('MCO-O-082', tooMany.length === 0, `${tooMany.length + 1} hosts were in the first wave of one`);
        if (first === undefined)
          throw new NotApplicable('no host got an order: needs an upgrade that begins at once');
        await judgeProgram(stage, first, able, check);
        if (tooMany.length > 0) return;
        await say(stage, first, 'CONFIRMED');
        const rest = all.filter((each) => each !== first.host);
        const second = (await ordered(stage, rest, 2)).filter((each) => each.host !== unable);
        const surplus = (await watch(stage, rest, 2)).filter((each) => each.host !== unable);
        check(
          'MCO-O-082',
          second.length + surplus.length === 2,
          `${second.length + surplus.length} hosts were in the second wave of two`,
        );
        const [failed, other] = second;
        if (failed === undefined || other === undefined || surplus.length > 0) return;
        await say(stage, failed, 'ROLLED_BACK');
        const isBack = await becomes(
          stage,
          rest,
          (orders) => !orders.some(({ host }) => host === other.host),
        );
        check('MCO-O-099', isBack, 'the order is not taken back from a host that has not begun');
        const known = [first.host, failed.host, other.host];
        const last = able.filter((each) => !known.includes(each));
        await stage.sleep(WATCH_SECONDS);
        const later = await ordersOf(last);
        check(
          'MCO-O-082',
          later.length === 0,
          'the upgrade went on after a host had not come up with the version',
        );
        const state = await stage.operator.do('upgrade-state');
        check(
          'MCO-O-098',
          state.includes(unable.hostId) && state.includes(reason),
          'how the upgrade stands does not name the host that cannot be upgraded with its reason',
        );
      } finally {
        await stage.operator.do('upgrade-end');
      }
    },
  },
  {
    id: 'hosts-that-are-away-hold-nothing-up',
    title:
      'No further wave begins while all hosts of this one are away, and one of which another host is there is not held up; hosts that were away have their order when they are back.',
    requirements: ['MCO-O-097'],
    needs: NEEDS,
    ...TURN,
    async play(stage, { check }) {
      const hosts = await openHosts(stage, 4, { possible: true, digest: OLD_DIGEST });
      await stage.operator.do('upgrade-begin', ...hosts.map(({ hostId }) => hostId));
      try {
        const [first] = await ordered(stage, hosts, 1);
        if (first === undefined)
          throw new NotApplicable('no host got an order: needs an upgrade that begins at once');
        const rest = hosts.filter((each) => each !== first.host);
        const early = await watch(stage, rest, 0, first.leaseSeconds + WATCH_SECONDS);
        check(
          'MCO-O-097',
          early.length === 0,
          'another wave began while all hosts of the first one were away',
        );
        if (early.length > 0) return;
        const [back] = await ordersOf([first.host]);
        check(
          'MCO-O-097',
          back?.order.orderId === first.order.orderId,
          'a host that was away has no order when it is back',
        );
        if (back === undefined) return;
        await say(stage, back, 'CONFIRMED');
        const [silent, there] = await ordered(stage, rest, 2);
        if (silent === undefined || there === undefined)
          throw new NotApplicable('no second wave of two hosts has begun');
        await say(stage, there, 'CONFIRMED');
        const last = rest.filter((each) => each !== silent.host && each !== there.host);
        const isGoingOn = await becomes(
          stage,
          [...last, there.host],
          (orders) => orders.some(({ host }) => last.includes(host)),
          silent.leaseSeconds + SOON_SECONDS,
        );
        check('MCO-O-097', isGoingOn, 'a wave waits for a host that is away');
        const [returned] = await ordersOf([silent.host]);
        check(
          'MCO-O-097',
          returned?.order.orderId === silent.order.orderId,
          'a host that was away has no order when it is back',
        );
      } finally {
        await stage.operator.do('upgrade-end');
      }
    },
  },
  {
    id: 'upgrade-goes-on-with-the-next-leader',
    title:
      'When the orchestrator was killed and started again in the middle of an upgrade, the host of the first wave has the order that it had, and the next wave comes once it has the version.',
    requirements: ['MCO-O-096'],
    needs: [...NEEDS, 'restart'],
    leastTimeoutSeconds: 120,
    async play(stage, { check }) {
      const hosts = await openHosts(stage, 2, { possible: true, digest: OLD_DIGEST });
      await stage.operator.do('upgrade-begin', ...hosts.map(({ hostId }) => hostId));
      try {
        const [first] = await ordered(stage, hosts, 1);
        if (first === undefined)
          throw new NotApplicable('no host got an order: needs an upgrade that begins at once');
        await stage.operator.do('restart');
        const isThere = await becomes(stage, hosts, (orders) =>
          orders.some(({ host, order }) => host === first.host && order.orderId === first.order.orderId),
        );
        check('MCO-O-096', isThere, 'the order of the first wave is not there any more');
        if (!isThere) return;
        const early = (await watch(stage, hosts, 1)).filter(({ host }) => host !== first.host);
        check(
          'MCO-O-096',
          early.length === 0,
          'the next leader has begun another wave, though the first is not over',
        );
        await say(stage, first, 'CONFIRMED');
        const isGoingOn = await becomes(stage, hosts, (orders) =>
          orders.some(({ host }) => host !== first.host),
        );
        check('MCO-O-096', isGoingOn, 'the next leader does not go on with the next wave');
      } finally {
        await stage.operator.do('upgrade-end');
      }
    },
  },
];

type Facts = NonNullable<Schemas['host-facts']['agentUpgrade']>;
type Check = (requirement: string, holds: boolean, message: string) => void;

/** A host with an order, as it has just been told. */
interface Ordered {
  readonly host: PlayedHost;
  readonly order: Order;
  readonly leaseSeconds: number;
}

async function openHosts(
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
async function ordersOf(hosts: readonly PlayedHost[]): Promise<readonly Ordered[]> {
  const all = await Promise.all(
    hosts.map(async (host) => ({ host, wanted: await host.expect<Wanted>(200, 'getWanted') })),
  );
  return all.flatMap(({ host, wanted: { agentUpgrade, leaseSeconds } }) =>
    agentUpgrade === undefined ? [] : [{ host, order: agentUpgrade, leaseSeconds }],
  );
}

/** Those with an order, once there are so many. */
async function ordered(
  stage: OrchestratorStage,
  hosts: readonly PlayedHost[],
  count: number,
): Promise<readonly Ordered[]> {
  let found: readonly Ordered[] = [];
  await becomes(stage, hosts, (orders) => (found = orders).length >= count);
  return found;
}

/** Those with an order beyond so many, after a while in which all of them are there. */
async function watch(
  stage: OrchestratorStage,
  hosts: readonly PlayedHost[],
  count: number,
  seconds = WATCH_SECONDS,
): Promise<readonly Ordered[]> {
  let found: readonly Ordered[] = [];
  await becomes(stage, hosts, (orders) => (found = orders).length > count, seconds);
  return found.slice(count);
}

async function becomes(
  stage: OrchestratorStage,
  hosts: readonly PlayedHost[],
  look: (orders: readonly Ordered[]) => boolean,
  seconds = SOON_SECONDS,
): Promise<boolean> {
  const end = stage.clock.monotonic() + seconds * 1000;
  for (;;) {
    if (look(await ordersOf(hosts))) return true;
    if (stage.clock.monotonic() > end || stage.signal.aborted) return false;
    await stage.sleep(LOOK_SECONDS);
  }
}

function isAmong(host: PlayedHost, orders: readonly (Ordered | undefined)[]): boolean {
  return orders.some((each) => each?.host === host);
}

/** States facts that say how the order has ended. */
async function say(
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

/** The program is given to who has the order, whole, and to nobody else. */
async function judgeProgram(
  stage: OrchestratorStage,
  { host, order }: Ordered,
  hosts: readonly PlayedHost[],
  check: Check,
): Promise<void> {
  const { digest } = order.artifact;
  const own = await host.send('retrieveArtifact', { digest });
  const found = `sha256:${createHash('sha256').update(own.bytes).digest('hex')}`;
  check(
    'MCO-O-099',
    own.status === 200 && found === digest,
    `the program of an order: ${told(own)}, its digest is ${found}`,
  );
  const other = hosts.find((each) => each !== host);
  const foreign = await other?.send('retrieveArtifact', {
    digest,
    ...(stage.binding === 'nats' ? { range: 'bytes=0-99' } : {}),
  });
  check(
    'MCO-O-099',
    foreign?.status === 404,
    `the program for a host without the order: ${foreign === undefined ? '' : told(foreign)}`,
  );
}
