import { isDeepStrictEqual } from 'node:util';
import { told } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

const EXPIRY_SECONDS = 1;

export const enrolmentCases: readonly OrchestratorCase[] = [
  {
    id: 'enrolment-needs-a-good-token',
    title: 'A token that nobody issued is answered with 401, one that another host has used with 410.',
    requirements: ['MCO-C-020'],
    async play(stage, { check }) {
      const stranger = stage.newHost();
      const unknown = await stranger.send('enrolHost', {
        body: stranger.enrolmentRequest('b1c2d3e4-0000-4000-8000-000000000000.nobody-has-issued-this-token'),
        ...(stage.binding === 'nats' ? { credential: await stage.tokenOf(stranger) } : {}),
      });
      check('MCO-C-020', unknown.status === 401, `a token that nobody issued: ${told(unknown)}`);
      // Over NATS a token is for the host that it names, and the servers hold others to that.
      if (stage.binding === 'nats') return;
      const user = stage.newHost();
      const token = await stage.tokenOf(user);
      await user.enrol(token);
      const used = await stranger.askEnrolment(token);
      check('MCO-C-020', used.status === 410, `a token that another host has used: ${told(used)}`);
    },
  },
  {
    id: 'enrolment-token-expires',
    title: `A token that was good for ${EXPIRY_SECONDS} s is answered with 410 after it.`,
    requirements: ['MCO-C-020'],
    needs: ['token'],
    isWaiting: true,
    async play(stage, { check }) {
      const host = stage.newHost();
      const token = await stage.tokenFor(host.hostId, EXPIRY_SECONDS);
      await stage.sleep(EXPIRY_SECONDS + 0.5);
      const late = await host.askEnrolment(token);
      check(
        'MCO-C-020',
        late.status === 410 || late.isRefusedByServer === true,
        `a token that has expired: ${told(late)}`,
      );
    },
  },
  {
    id: 'enrolment-may-be-repeated',
    title: 'The same enrolment again is answered as the first time.',
    requirements: ['MCO-C-021'],
    async play(stage, { check }) {
      const host = stage.newHost();
      const token = await stage.tokenOf(host);
      const first = await host.enrol(token);
      const again = await host.askEnrolment(token);
      check('MCO-C-021', again.status === 201, `the same enrolment again: ${told(again)}`);
      check(
        'MCO-C-021',
        again.status !== 201 || isDeepStrictEqual(again.body, first),
        'the same enrolment again was answered with something else than the first time',
      );
    },
  },
  {
    id: 'enrolment-token-of-another-host',
    title: 'A token that names a host is answered with 401 to every other host, and stays good for its own.',
    requirements: ['MCO-C-022'],
    bindings: ['http'],
    needs: ['token'],
    async play(stage, { check }) {
      const host = stage.newHost();
      const token = await stage.tokenFor(host.hostId);
      const other = stage.newHost();
      const answer = await other.askEnrolment(token);
      check('MCO-C-022', answer.status === 401, `the token of another host: ${told(answer)}`);
      const own = await host.askEnrolment(token);
      check('MCO-C-022', own.status === 201, `its own host after that: ${told(own)}`);
    },
  },
  {
    id: 'enrolled-host-keeps-its-key',
    title:
      'Another machine with a good token and the name of an enrolled host is answered with 409; the first one is served on.',
    requirements: ['MCO-C-023'],
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const impostor = stage.sameName(host);
      const answer = await impostor.askEnrolment(await stage.tokenOf(impostor));
      check('MCO-C-023', answer.status === 409, `another key: ${told(answer)}`);
      const session = await host.askSession();
      check('MCO-C-023', session.status === 201, `the key that was enrolled, after that: ${told(session)}`);
    },
  },
];
