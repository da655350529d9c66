import { NotApplicable } from '../../case.ts';
import { comesToPass } from '../comes-to-pass.ts';
import { pointAt } from '../measurements.ts';
import { openLinkOf } from '../nats-host.ts';
import { obey } from '../obedience.ts';
import { factsOf, told, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

type Wanted = Schemas['wanted'];

const NATS_ONLY = { bindings: ['nats'] } as const;
/** In which a push has to have come. */
const PUSH_SECONDS = 5;
/** More than the payload of a message of NATS by its default. */
const LARGE_BYTES = 1_500_000;

/** What is sent over NATS, and in which form. */
export const natsMessageCases: readonly OrchestratorCase[] = [
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
      const point = pointAt(stage.clock.now(), 0.1);
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
      const isPushed = await comesToPass(stage, () => link.pushes.length > 0, PUSH_SECONDS);
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
      const isAnnounced = await comesToPass(
        stage,
        () => link.pushes.some(({ bytes }) => bytes.length === 0),
        PUSH_SECONDS,
      );
      check('MCO-C-077', isAnnounced, 'no push without payload has announced it');
      check('MCO-C-077', answer.headers['mco-part'] !== undefined, 'it came in one message');
      await stage.operator.do('unassign', host.hostId);
      obedient.end();
      await link.close();
    },
  },
];
