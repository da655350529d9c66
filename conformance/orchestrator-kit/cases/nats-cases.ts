import { randomInt } from 'node:crypto';
import { nkeyName, toTimestamp } from '../../../kernel/index.ts';
import { CaseFailure, NotApplicable, must } from '../../case.ts';
import { subjectOf } from '../../nats/document.ts';
import { toHeaders } from '../../nats/messages.ts';
import { subjectOfJwt } from '../../nats/users.ts';
import type { NatsSide } from '../agent-wire.ts';
import { UserRefused, type HostLink } from '../host-link.ts';
import { obey } from '../obedience.ts';
import { MCO_VERSION, factsOf, told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase, OrchestratorStage } from '../stage.ts';

type Wanted = Schemas['wanted'];

const NATS_ONLY = { bindings: ['nats'] } as const;
/** What a server may take to say that it does not allow something. */
const REFUSAL_SECONDS = 3;
/** In which a revocation has to have reached the servers. */
const REVOCATION_SECONDS = 5;
const REVOCATIONS = 2;
const WATCH_SECONDS = 1;
/** More than the payload of a message of NATS by its default. */
const LARGE_BYTES = 1_500_000;

export const natsCases: readonly OrchestratorCase[] = [
  {
    id: 'answers-over-nats-are-those-of-http',
    title:
      'What a host does over NATS, from its enrolment to its leaving, is answered with the messages of HTTP, and with the envelope in headers.',
    requirements: ['MCO-C-070'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const opening = [await host.send('createChallenge'), await host.askSession()];
      await host.comeUp();
      const point = pointOf(stage, 0.1);
      const answers = [
        ...opening,
        await host.send('getWanted'),
        await host.send('putFacts', { sequence: 2, body: factsOf(host.hostId) }),
        await host.send('putFacts', { sequence: 1, body: factsOf(host.hostId) }),
        await host.send('postMeasurements', { sequence: 1, body: { points: [point], dropped: 0 } }),
        await host.send('postAlarms', { sequence: 1, body: { alarms: [] } }),
        await host.send('getWanted', { version: '2.0' }),
        await host.send('leave'),
      ];
      for (const answer of answers) {
        check('MCO-C-070', answer.faults.length === 0, `${told(answer)}: ${answer.faults.join('; ')}`);
        const { 'mco-version': version, 'mco-sp-id': spId } = answer.headers;
        check(
          'MCO-C-070',
          version !== undefined && spId === host.spId,
          `${told(answer)}: its envelope has the version ${String(version)} and the provider ${String(spId)}`,
        );
      }
      const expected = [201, 201, 200, 200, 409, 200, 200, 400, 204];
      const statuses = answers.map(({ status }) => status);
      check(
        'MCO-C-070',
        statuses.join() === expected.join(),
        `the statuses are ${statuses.join(', ')}, where over HTTP they are ${expected.join(', ')}`,
      );
    },
  },
  {
    id: 'subjects-of-others-are-refused',
    title:
      'A host that publishes or subscribes below the subjects of another, as the orchestrator, or to the streams is refused by the servers.',
    requirements: ['MCO-C-071'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const link = await openLinkOf(stage, host);
      const other = 'kit-somebody-else';
      const published = [
        subjectOf(other, 'report'),
        subjectOf(host.hostId, 'wanted.changed'),
        subjectOf(host.hostId, 'receipts'),
        `_INBOX.mco.${other}.x`,
        '$JS.API.STREAM.PURGE.MCO_MEASUREMENTS',
      ];
      const subscribed = [
        subjectOf(other, 'wanted.changed'),
        'mco.v1.>',
        'mco.v1.*.report',
        '_INBOX.>',
        `_INBOX.mco.${other}.>`,
      ];
      for (const subject of published) {
        const refusal = await refusalOf(stage, link, () => link.connection.publish(subject));
        check('MCO-C-071', refusal?.includes(subject) === true, `it may publish to ${subject}`);
      }
      for (const subject of subscribed) {
        const refusal = await refusalOf(stage, link, () => {
          link.connection.subscribe(subject, { callback: () => undefined });
        });
        check('MCO-C-071', refusal?.includes(subject) === true, `it may subscribe to ${subject}`);
      }
      await link.close();
    },
  },
  {
    id: 'user-is-the-enrolled-key',
    title: 'The user of NATS that a host gets with its enrolment is the key that it has enrolled.',
    requirements: ['MCO-C-072'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const jwt = natsOf(stage).jwtOf(host.hostId, host.key);
      must(jwt !== undefined, 'the enrolment came without the header Mco-Nats-User-Jwt');
      const [user, own] = [subjectOfJwt(jwt), nkeyName(host.publicKey.x)];
      check('MCO-C-072', user === own, `the user is ${user}, and the key of the host is ${own}`);
    },
  },
  {
    id: 'revoked-host-is-cut-off-from-nats',
    title: 'A host that is revoked loses its connections at once, and gets none any more.',
    requirements: ['MCO-C-073'],
    needs: ['revoke'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      await host.comeUp();
      const link = await openLinkOf(stage, host);
      await stage.operator.do('revoke', host.hostId);
      const isClosed = await comesTrue(stage, () => link.connection.isClosed());
      check('MCO-C-073', isClosed, `${REVOCATION_SECONDS} s after it was revoked its connection is open`);
      check('MCO-C-073', await isRefused(stage, host), 'it gets another connection');
      await link.close();
    },
  },
  {
    id: 'key-that-is-enrolled-anew-is-good',
    title: `A host that leaves and is enrolled anew with the same key, ${REVOCATIONS} times, is taken by the servers each time, and not in between.`,
    requirements: ['MCO-C-078'],
    needs: ['token'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      await host.comeUp();
      for (let time = 1; time <= REVOCATIONS; time += 1) {
        await host.expect(204, 'leave');
        const isOut = await comesTrue(stage, () => isRefused(stage, host));
        check('MCO-C-078', isOut, 'a host that has left is taken by the servers still');
        await host.enrol(await stage.tokenOf(host));
        const answer = await host.send('createChallenge');
        check('MCO-C-078', answer.status === 201, `enrolled anew for the ${time}. time: ${told(answer)}`);
        if (answer.status !== 201) return;
        await host.comeUp();
      }
    },
  },
  {
    id: 'push-names-what-it-builds-on',
    title:
      'What is assigned is pushed to the boot of the host, and names the revision that it was told last.',
    requirements: ['MCO-C-075'],
    needs: ['assign', 'unassign'],
    ...NATS_ONLY,
    isWaiting: true,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      await host.comeUp();
      const link = await openLinkOf(stage, host);
      const whole = await host.expect<Wanted>(200, 'getWanted');
      const obedient = obey(stage, host, whole);
      await stage.operator.do('assign', host.hostId);
      const isPushed = await comesTrue(stage, () => link.pushes.length > 0);
      check('MCO-C-075', isPushed, 'nothing was pushed');
      const known = new Set([...obedient.revisions, whole.revision].map(String));
      for (const { headers } of link.pushes) {
        const { 'Mco-Since': since = '', 'Mco-Revision': revision = '', 'Mco-Boot-Id': bootId } = headers;
        check(
          'MCO-C-075',
          known.has(since),
          `a push builds on revision ${since || '(none)'}, which the host was never told`,
        );
        check(
          'MCO-C-075',
          bootId === host.bootId,
          `a push is for the boot ${String(bootId)}, not ${host.bootId}`,
        );
        known.add(revision);
      }
      await stage.operator.do('unassign', host.hostId);
      obedient.end();
      await link.close();
    },
  },
  {
    id: 'answers-stay-in-the-inbox',
    title: 'A request that names a reply subject of another host, or none of its own, is not answered there.',
    requirements: ['MCO-C-076'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const [host, other] = [await stage.readyHost(), await stage.enrolledHost()];
      const [own, foreign] = [await openLinkOf(stage, host), await openLinkOf(stage, other)];
      const inbox = `_INBOX.mco.${other.hostId}.kit-stolen`;
      const came: string[] = [];
      foreign.connection.subscribe(inbox, { callback: (_, { subject }) => void came.push(subject) });
      await foreign.connection.flush();
      const headers = toHeaders({
        'Mco-Version': MCO_VERSION,
        'Mco-Sp-Id': host.spId ?? '',
        'Mco-Boot-Id': host.bootId,
      });
      const subject = subjectOf(host.hostId, 'challenge');
      for (const reply of [
        inbox,
        subjectOf(other.hostId, 'wanted.changed'),
        subjectOf(other.hostId, 'receipts'),
      ])
        own.connection.publish(subject, '', { reply, headers });
      const answer = await host.send('createChallenge');
      check('MCO-C-076', answer.status === 201, `a request with an inbox of its own: ${told(answer)}`);
      await stage.sleep(WATCH_SECONDS);
      const stolen = [...came, ...[...foreign.pushes, ...foreign.receipts].map((each) => each.subject)];
      check('MCO-C-076', stolen.length === 0, `answers came to ${stolen.join(', ')}`);
      await Promise.all([own.close(), foreign.close()]);
    },
  },
  {
    id: 'large-state-comes-in-parts',
    title:
      'A wanted state that is larger than a message of NATS is announced by a push without payload, and comes in parts when it is asked for.',
    requirements: ['MCO-C-077'],
    needs: ['assign-large', 'unassign'],
    ...NATS_ONLY,
    isWaiting: true,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      await host.comeUp();
      const whole = await host.expect<Wanted>(200, 'getWanted');
      const link = await openLinkOf(stage, host);
      const obedient = obey(stage, host, whole);
      await stage.operator.do('assign-large', host.hostId, String(LARGE_BYTES));
      const answer = await host.send('getWanted');
      const limit = link.connection.info?.max_payload ?? 0;
      if (answer.bytes.length <= limit)
        throw new NotApplicable(
          `needs an operator whose action "assign-large" assigns more than a message may hold: it assigned ${answer.bytes.length} bytes of ${limit}`,
        );
      check(
        'MCO-C-077',
        answer.status === 200 && answer.faults.length === 0,
        `${told(answer)}: ${answer.faults.join('; ')}`,
      );
      const isAnnounced = await comesTrue(stage, () => link.pushes.some(({ bytes }) => bytes.length === 0));
      check('MCO-C-077', isAnnounced, 'no push without payload has announced it');
      check('MCO-C-077', answer.headers['mco-part'] !== undefined, 'it came in one message');
      await stage.operator.do('unassign', host.hostId);
      obedient.end();
      await link.close();
    },
  },
  {
    id: 'receipt-comes-again-with-the-heartbeat',
    title: 'The answer to a heartbeat names the newest receipt for measurements of its boot.',
    requirements: ['MCO-M-024'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const sequence of [1, 2]) {
        await host.expect(200, 'postMeasurements', {
          sequence,
          body: { points: [pointOf(stage, 1)], dropped: 0 },
        });
        const { headers } = await host.send('getWanted', { query: { since: '0' } });
        check(
          'MCO-M-024',
          headers['mco-receipt'] === String(sequence + 1),
          `after batch ${sequence} the header Mco-Receipt is ${String(headers['mco-receipt'])}`,
        );
      }
    },
  },
  {
    id: 'receipted-measurements-outlive-the-leader',
    title:
      'Measurements are receipted once the stream has them, and an orchestrator that was killed after its receipt has them when it is started again.',
    requirements: ['MCO-M-023'],
    needs: ['restart', 'measurement'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const value = randomInt(1_000_000, 9_000_000);
      await host.expect(200, 'postMeasurements', {
        sequence: 1,
        body: { points: [pointOf(stage, value)], dropped: 0 },
      });
      await stage.operator.do('restart');
      const isThere = await comesTrue(
        stage,
        async () => (await stage.operator.do('measurement', host.hostId, METRIC)).includes(String(value)),
        2 * REVOCATION_SECONDS,
      );
      check('MCO-M-023', isThere, 'what was receipted before is not there after it was killed and started');
    },
  },
];

const METRIC = 'host_cpu_used_ratio';

function pointOf({ clock }: OrchestratorStage, value: number): Schemas['measurement'] {
  return { metric: METRIC, unit: '1', timestamp: toTimestamp(clock.now()), value };
}

function natsOf({ wire }: OrchestratorStage): NatsSide {
  if (wire.nats === undefined) throw new CaseFailure('the kit is not connected to NATS');
  return wire.nats;
}

async function openLinkOf(stage: OrchestratorStage, { hostId, key }: PlayedHost): Promise<HostLink> {
  const link = await natsOf(stage).openLink(hostId, key);
  stage.signal.addEventListener('abort', () => void link.close(), { once: true });
  return link;
}

/** What a server says of the next thing that it does not allow; undefined where it allows it. */
async function refusalOf(
  stage: OrchestratorStage,
  { connection }: HostLink,
  act: () => void,
): Promise<string | undefined> {
  const statuses = connection.status()[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      const { value, done } = await statuses.next();
      if (done === true) return undefined;
      if (value.type === 'error') return value.error.message;
    }
  };
  const refusal = next();
  act();
  const answer = await Promise.race([refusal, stage.sleep(REFUSAL_SECONDS)]);
  return typeof answer === 'string' ? answer : undefined;
}

async function isRefused(stage: OrchestratorStage, { hostId, key }: PlayedHost): Promise<boolean> {
  try {
    const link = await natsOf(stage).openLink(hostId, key);
    await link.close();
    return false;
  } catch (error) {
    if (error instanceof UserRefused) return true;
    throw error;
  }
}

async function comesTrue(
  stage: OrchestratorStage,
  look: () => boolean | Promise<boolean>,
  seconds = REVOCATION_SECONDS,
): Promise<boolean> {
  const end = stage.clock.monotonic() + seconds * 1000;
  for (;;) {
    if (await look()) return true;
    if (stage.clock.monotonic() > end || stage.signal.aborted) return false;
    await stage.sleep(0.1);
  }
}
