import { createPublicKey } from 'node:crypto';
import { nkeyName } from '../../../kernel/index.ts';
import { CaseFailure, NotApplicable, must } from '../../case.ts';
import { enrolmentKey } from '../../nats/users.ts';
import { assign, wantedSince, type Schemas } from '../ledger.ts';
import { comesToPass, describe } from '../observe.ts';
import type { NatsSide, Received } from '../orchestrator-wire.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';

const NATS_ONLY = { bindings: ['nats'] } as const;
const EVERY_SECONDS = 0.5;
const HOST_JOB: Schemas['collection-job'] = { jobId: 'host', source: 'host', everySeconds: EVERY_SECONDS };
const CLUSTER_SERVERS = 3;
const WATCH_SECONDS = 2;
const LOST_SERVER_SECONDS = 6;
/** Long enough that no question comes by itself within the watch. */
const SLOW_HEARTBEAT_SECONDS = 30;
const SHOWN_FAULTS = 3;

export const natsCases: readonly AgentCase[] = [
  {
    id: 'messages-over-nats-are-those-of-http',
    title: 'Every message over NATS is one of HTTP, with the envelope in headers of the same names.',
    requirements: ['MCO-C-070'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      await measureOnce(stage);
      await stage.run();
      const faults = stage.played.received.flatMap(({ operation, faults: own }) =>
        own.map((fault) => `${operation}: ${fault}`),
      );
      const shown = [...new Set(faults)].slice(0, SHOWN_FAULTS).join('; ');
      check('MCO-C-070', faults.length === 0, `${faults.length} faults: ${shown}`);
    },
  },
  {
    id: 'agent-connects-as-its-enrolled-key',
    title: 'The agent connects to NATS as the key that it has enrolled, and as nobody else but to enrol.',
    requirements: ['MCO-C-072'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      await stage.calm();
      const { host, token } = stage.ledger;
      must(host !== undefined, 'no host is enrolled');
      const own = nkeyName(host.publicKey.x);
      const { x = '' } = createPublicKey(enrolmentKey(token)).export({ format: 'jwk' });
      const users = [...natsOf(stage).users];
      check('MCO-C-072', users.includes(own), `${own}, the key that it has enrolled, has never connected`);
      const others = users.filter((user) => user !== own && user !== nkeyName(x));
      check('MCO-C-072', others.length === 0, `${others.join(', ')} has connected as well`);
    },
  },
  {
    id: 'push-on-another-revision-makes-it-ask',
    title: 'A push that builds on a revision that the agent does not have is not taken over: the agent asks.',
    requirements: ['MCO-C-075'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      await stage.calm();
      const { ledger, played } = stage;
      const before = ledger.heartbeatIntervalSeconds;
      try {
        ledger.heartbeatIntervalSeconds = SLOW_HEARTBEAT_SECONDS;
        const runs = await stage.run();
        const question = await stage.until('the agent asks from the newest revision on', () =>
          stage.since('getWanted').find(({ query }) => Number(query.get('since')) >= ledger.revision),
        );
        played.arePushesKept = true;
        await stage.sleep(WATCH_SECONDS / 2);
        const forged = wishOf(stage.newName(), stage.workload.runs);
        const kept = { assignments: ledger.assignments, removed: ledger.removed, revision: ledger.revision };
        assign(ledger, [runs, forged]);
        const wanted = { ...wantedSince(ledger, kept.revision) };
        Object.assign(ledger, kept);
        ledger.revision = wanted.revision;
        const from = stage.since('getWanted').length;
        const { hostId, bootId } = question;
        natsOf(stage).push({
          hostId,
          bootId,
          since: wanted.revision - 1 + 10,
          revision: wanted.revision + 10,
          wanted,
        });
        const hasAsked = await comesToPass(
          stage,
          () => stage.since('getWanted').length > from,
          WATCH_SECONDS,
        );
        check('MCO-C-075', hasAsked, `within ${WATCH_SECONDS} s it did not ask`);
        await stage.sleep(WATCH_SECONDS / 2);
        check('MCO-C-075', !stage.isRunning(forged), 'what was pushed was taken over');
      } finally {
        ledger.heartbeatIntervalSeconds = before;
      }
    },
  },
  {
    id: 'measurements-have-message-ids',
    title:
      'Measurements are published to JetStream with a message id of host, boot, operation and number, and without a token.',
    requirements: ['MCO-M-020'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      await measureOnce(stage);
      for (const { hostId, bootId, sequence, messageId, token } of stage.since('postMeasurements')) {
        const id = `${hostId}/${bootId}/measurements/${String(sequence)}`;
        check('MCO-M-020', messageId === id, `Nats-Msg-Id is ${String(messageId)}, not ${id}`);
        check('MCO-M-020', token === undefined, 'a batch carries a session token');
      }
    },
  },
  {
    id: 'only-the-orchestrator-acknowledges',
    title:
      'What the servers have stored and the orchestrator has not acknowledged comes again after the agent was killed and started.',
    requirements: ['MCO-M-021'],
    needs: ['restart'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      await measureOnce(stage);
      const from = stage.since('postMeasurements').length;
      const before = stage.since('postMeasurements').at(-1)?.bootId;
      stage.played.fate = ({ operation, bootId: sender }) =>
        operation === 'postMeasurements' && sender === before ? { reply: { type: 'cut' } } : undefined;
      await stage.until(
        'a batch comes that is not acknowledged',
        () => stage.since('postMeasurements').length > from,
      );
      const stored = timesOf(stage.since('postMeasurements').slice(from));
      const { bootId } = await stage.restart();
      const again = (): ReadonlySet<string> =>
        timesOf(stage.since('postMeasurements').filter((each) => each.bootId === bootId));
      const isThere = await comesToPass(stage, () => [...stored].every((time) => again().has(time)));
      const missing = [...stored].filter((time) => !again().has(time));
      check('MCO-M-021', isThere, `what was measured at ${missing.join(', ')} did not come again`);
    },
  },
  {
    id: 'lost-server-loses-nothing',
    title: `While one server of a cluster of ${CLUSTER_SERVERS} is lost, measurements and reports come, whole and in order.`,
    requirements: ['MCO-C-074'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const { servers, serverOf } = natsOf(stage);
      if (servers.addresses.length < CLUSTER_SERVERS)
        throw new NotApplicable(`needs a cluster of servers: give --nats-servers ${CLUSTER_SERVERS}`);
      await measureOnce(stage);
      const { host } = stage.ledger;
      must(host !== undefined, 'no host is enrolled');
      const index = servers.names.indexOf(serverOf(nkeyName(host.publicKey.x)) ?? '');
      must(index >= 0, 'the agent is connected to no server');
      const from = stage.clock.now();
      await servers.kill(index);
      try {
        const wish = wishOf(stage.newName(), stage.workload.runs);
        stage.assign(wish);
        await stage.sleep(LOST_SERVER_SECONDS);
        const until = stage.clock.now();
        const isTold = await comesToPass(stage, () => stage.isRunning(wish));
        check('MCO-C-074', isTold, `what was assigned then is ${describe(stage.instanceOf(wish))}`);
        const times = (): readonly number[] => [...timesOf(taken(stage))].map((time) => Date.parse(time));
        const goesOn = await comesToPass(stage, () => times().some((time) => time > until));
        check('MCO-C-074', goesOn, 'no measurements came after the server was lost');
        const kept = times().filter((time) => time >= from && time <= until).length;
        const expected = Math.floor(LOST_SERVER_SECONDS / EVERY_SECONDS / 2);
        check(
          'MCO-C-074',
          kept >= expected,
          `of ${LOST_SERVER_SECONDS} s at ${EVERY_SECONDS} s each, ${kept} measurements came`,
        );
        const all = times();
        const isOrdered = all.every((time, position) => position === 0 || time >= (all[position - 1] ?? 0));
        check('MCO-C-074', isOrdered, 'measurements came in another order than they were taken');
      } finally {
        await servers.start(index);
      }
    },
  },
];

function natsOf({ played }: AgentStage): NatsSide {
  if (played.wire.nats === undefined) throw new CaseFailure('the kit is not connected to NATS');
  return played.wire.nats;
}

async function measureOnce(stage: AgentStage): Promise<void> {
  await stage.calm();
  stage.collect(HOST_JOB);
  await stage.until('measurements come', () => taken(stage).length > 0);
}

/** Those that were acknowledged. */
function taken(stage: AgentStage): readonly Received[] {
  return stage.since('postMeasurements').filter((each) => stage.played.statuses.get(each) === 200);
}

function timesOf(batches: readonly Received[]): ReadonlySet<string> {
  return new Set(
    batches.flatMap(({ body }) =>
      ((body as Partial<Schemas['measurement-batch']>).points ?? []).map(({ timestamp }) => timestamp),
    ),
  );
}
