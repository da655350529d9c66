import { nkeyName } from '../../../kernel/index.ts';
import { must } from '../../case.ts';
import { subjectOf } from '../../nats/document.ts';
import { toHeaders } from '../../nats/messages.ts';
import { subjectOfJwt } from '../../nats/users.ts';
import { comesToPass } from '../comes-to-pass.ts';
import { isRefused, natsOf, openLinkOf, refusalOf } from '../nats-host.ts';
import { MCO_VERSION, told } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

const NATS_ONLY = { bindings: ['nats'] } as const;
/** In which a revocation has to have reached the servers. */
const REVOCATION_SECONDS = 5;
const REVOCATIONS = 2;
/** In which an answer that must not come would come. */
const WATCH_SECONDS = 1;

/** Who may connect to the servers, and what is theirs there. */
export const natsAccessCases: readonly OrchestratorCase[] = [
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
      const isClosed = await comesToPass(stage, () => link.connection.isClosed(), REVOCATION_SECONDS);
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
        const isOut = await comesToPass(stage, () => isRefused(stage, host), REVOCATION_SECONDS);
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
];
