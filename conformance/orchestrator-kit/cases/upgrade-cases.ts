import { createHash } from 'node:crypto';
import { NotApplicable, type Judge } from '../../case.ts';
import { told, type PlayedHost } from '../played-host.ts';
import type { OrchestratorCase, OrchestratorStage } from '../stage.ts';
import {
  ABLE,
  SOON_SECONDS,
  WATCH_SECONDS,
  becomes,
  firstOrdered,
  noneOrdered,
  openHosts,
  ordered,
  ordersOf,
  say,
  upgrading,
  watch,
  type Ordered,
} from '../upgraded-hosts.ts';

const NEEDS = ['upgrade-begin', 'upgrade-end'] as const;
/** There is one upgrade of agents at a time. */
const TURN = { isWaiting: true, turn: 'upgrades', leastTimeoutSeconds: 240 } as const;

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
      const able = await openHosts(stage, 4, ABLE);
      const [unable] = await openHosts(stage, 1, { possible: false, reason });
      if (unable === undefined) return;
      const hosts: UpgradedHosts = { able, unable, reason };
      await upgrading(stage, allOf(hosts), async () => {
        const first = await judgeFirstWave(stage, hosts, check);
        if (first === undefined) return;
        await say(stage, first, 'CONFIRMED');
        const second = await judgeSecondWave(stage, hosts, first, check);
        if (second !== undefined) await judgeStop(stage, hosts, [first, ...second], check);
      });
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
      const hosts = await openHosts(stage, 4, ABLE);
      await upgrading(stage, hosts, async () => {
        const first = await firstOrdered(stage, hosts);
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
      });
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
      const hosts = await openHosts(stage, 2, ABLE);
      await upgrading(stage, hosts, async () => {
        const first = await firstOrdered(stage, hosts);
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
      });
    },
  },
];

/** Hosts of one upgrade: those that can be upgraded, and one that cannot, with what it says of that. */
interface UpgradedHosts {
  readonly able: readonly PlayedHost[];
  readonly unable: PlayedHost;
  readonly reason: string;
}

function allOf({ able, unable }: UpgradedHosts): readonly PlayedHost[] {
  return [...able, unable];
}

/** Of one host. @returns it; undefined where more have the order, so that nothing else can be judged. @throws NotApplicable */
async function judgeFirstWave(
  stage: OrchestratorStage,
  hosts: UpgradedHosts,
  check: Judge['check'],
): Promise<Ordered | undefined> {
  const { able, unable } = hosts;
  const [first, ...early] = await ordered(stage, allOf(hosts), 1);
  const others = [...early, ...(await watch(stage, allOf(hosts), 1))];
  const isKept = ![first, ...others].some((each) => each?.host === unable);
  check('MCO-O-098', isKept, 'a host that cannot be upgraded got an order');
  const tooMany = others.filter(({ host }) => host !== unable);
  check('MCO-O-082', tooMany.length === 0, `${tooMany.length + 1} hosts were in the first wave of one`);
  if (first === undefined) throw noneOrdered();
  await judgeProgram(stage, first, able, check);
  return tooMany.length === 0 ? first : undefined;
}

/** Of two hosts. @returns them; undefined where there are more, or less */
async function judgeSecondWave(
  stage: OrchestratorStage,
  hosts: UpgradedHosts,
  first: Ordered,
  check: Judge['check'],
): Promise<readonly [Ordered, Ordered] | undefined> {
  const rest = allOf(hosts).filter((each) => each !== first.host);
  const isAble = ({ host }: Ordered): boolean => host !== hosts.unable;
  const wave = (await ordered(stage, rest, 2)).filter(isAble);
  const surplus = (await watch(stage, rest, 2)).filter(isAble);
  const count = wave.length + surplus.length;
  check('MCO-O-082', count === 2, `${count} hosts were in the second wave of two`);
  const [one, other] = wave;
  return one === undefined || other === undefined || surplus.length > 0 ? undefined : [one, other];
}

/** What becomes of the upgrade when the second host does not come up with the version. */
async function judgeStop(
  stage: OrchestratorStage,
  hosts: UpgradedHosts,
  [first, failed, other]: readonly [Ordered, Ordered, Ordered],
  check: Judge['check'],
): Promise<void> {
  await say(stage, failed, 'ROLLED_BACK');
  const rest = allOf(hosts).filter((each) => each !== first.host);
  const isBack = await becomes(stage, rest, (orders) => !orders.some(({ host }) => host === other.host));
  check('MCO-O-099', isBack, 'the order is not taken back from a host that has not begun');
  const known = [first.host, failed.host, other.host];
  await stage.sleep(WATCH_SECONDS);
  const later = await ordersOf(hosts.able.filter((each) => !known.includes(each)));
  check('MCO-O-082', later.length === 0, 'the upgrade went on after a host had not come up with the version');
  const state = await stage.operator.do('upgrade-state');
  check(
    'MCO-O-098',
    state.includes(hosts.unable.hostId) && state.includes(hosts.reason),
    'how the upgrade stands does not name the host that cannot be upgraded with its reason',
  );
}

/** The program is given to who has the order, whole, and to nobody else. */
async function judgeProgram(
  stage: OrchestratorStage,
  { host, order }: Ordered,
  hosts: readonly PlayedHost[],
  check: Judge['check'],
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
