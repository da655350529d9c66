import { generateKeyPairSync } from 'node:crypto';
import { EMPTY_REPORT, told, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

const LONG_POLL_SECONDS = 3600;
/** In which a waiting question has to be ended: well below any heartbeat. */
const AT_ONCE_SECONDS = 3;

export const sessionCases: readonly OrchestratorCase[] = [
  {
    id: 'nonce-is-good-once',
    title: 'A nonce is taken once; not again, and not of another host.',
    requirements: ['MCO-C-030'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const nonce = await host.nonce();
      await host.openSession({ nonce });
      const again = await host.askSession({ nonce });
      check('MCO-C-030', again.status === 401, `a nonce that was used: ${told(again)}`);
      const made = await host.askSession({ nonce: 'made-up-nonce-0123456789' });
      check('MCO-C-030', made.status === 401, `a nonce that nobody gave: ${told(made)}`);
    },
  },
  {
    id: 'nonce-is-of-one-host',
    title: 'The nonce that one host got is answered with 401 in the proof of another.',
    requirements: ['MCO-C-030'],
    async play(stage, { check }) {
      const [host, other] = [await stage.enrolledHost(), await stage.enrolledHost()];
      const answer = await host.askSession({ nonce: await other.nonce() });
      check('MCO-C-030', answer.status === 401, `the nonce of another host: ${told(answer)}`);
    },
  },
  {
    id: 'proof-has-to-hold',
    title: 'A proof with another key, for another host, resource or type of token is answered with 401.',
    requirements: ['MCO-C-031'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const { privateKey } = generateKeyPairSync('ed25519');
      const wrong = {
        'another key': { key: privateKey },
        'another host': { subject: 'another-host' },
        'another resource': { resource: `/mco/v1/hosts/${host.hostId}/reports` },
        'another type': { type: 'dpop+jwt' },
      };
      for (const [what, deviation] of Object.entries(wrong)) {
        const answer = await host.askSession(deviation);
        check('MCO-C-031', answer.status === 401, `a proof for ${what}: ${told(answer)}`);
      }
    },
  },
  {
    id: 'counter-has-to-grow',
    title: 'A proof whose counter was seen in its boot is answered with 401.',
    requirements: ['MCO-C-032'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      await host.openSession({ counter: 50 });
      for (const counter of [50, 49]) {
        const answer = await host.askSession({ counter });
        check('MCO-C-032', answer.status === 401, `counter ${counter} after 50: ${told(answer)}`);
      }
      const next = await host.askSession({ counter: 51 });
      check('MCO-C-032', next.status === 201, `counter 51 after 50: ${told(next)}`);
    },
  },
  {
    id: 'next-boot-ends-the-session',
    title:
      'When the next boot of a host opens a session, that of the boot before ends, and its waiting question is answered.',
    requirements: ['MCO-C-034'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const old = { bootId: host.bootId, token: host.session?.token };
      const { revision } = await host.expect<Schemas['wanted']>(200, 'getWanted');
      const query = { since: String(revision), wait: String(LONG_POLL_SECONDS) };
      const poll = host.send('getWanted', { ...old, query });
      await stage.sleep(0.3);
      host.reboot();
      await host.openSession();
      const ended = await Promise.race([poll, stage.sleep(AT_ONCE_SECONDS)]);
      // Over NATS no question waits.
      check(
        'MCO-C-034',
        stage.binding === 'nats' || (ended !== undefined && ended.status !== 200),
        ended === undefined
          ? `the question of the boot before was still waiting ${AT_ONCE_SECONDS} s later`
          : `the question of the boot before: ${told(ended)}`,
      );
      const late = await host.send('postReport', { ...old, sequence: 2, body: EMPTY_REPORT });
      check('MCO-C-034', late.status === 401, `a report of the boot before: ${told(late)}`);
    },
  },
  {
    id: 'session-is-of-one-host',
    title: 'The session of one host opens nothing of another.',
    requirements: ['MCO-C-035'],
    bindings: ['http'],
    async play(stage, { check }) {
      const [host, other] = [await stage.readyHost(), await stage.enrolledHost()];
      await other.comeUp();
      for (const operation of ['getWanted', 'leave']) {
        const answer = await host.send(operation, { hostId: other.hostId });
        check('MCO-C-035', [401, 403, 404].includes(answer.status), `of another host: ${told(answer)}`);
      }
      const own = await other.send('getWanted');
      check('MCO-C-035', own.status === 200, `the other host after that: ${told(own)}`);
    },
  },
  {
    id: 'session-is-of-one-boot',
    title: 'A session token with another boot id is answered with 401.',
    requirements: ['MCO-C-036'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const answer = await host.send('getWanted', { bootId: '11111111-2222-4333-8444-555555555555' });
      check('MCO-C-036', answer.status === 401, `another boot id: ${told(answer)}`);
    },
  },
  {
    id: 'monitoring-alone-does-not-report',
    title:
      'A session for the role monitoring alone reads the wanted state, and is answered with 403 where it reports.',
    requirements: ['MCO-C-037'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      await host.openSession({ roles: ['monitoring'] });
      const wanted = await host.send('getWanted');
      check('MCO-C-037', wanted.status === 200, `the wanted state: ${told(wanted)}`);
      const report = await host.send('postReport', { sequence: 2, body: EMPTY_REPORT });
      check('MCO-C-037', report.status === 403, `a report: ${told(report)}`);
    },
  },
  {
    id: 'sessions-outlive-the-leader',
    title:
      'After the orchestrator was killed and started again, what it had answered is there: the enrolment, and the session.',
    requirements: ['MCO-C-010', 'MCO-C-039'],
    needs: ['restart'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      await stage.operator.do('restart');
      const wanted = await host.send('getWanted');
      check('MCO-C-039', wanted.status === 200, `with the session of before: ${told(wanted)}`);
      const facts = await host.askSession();
      check('MCO-C-010', facts.status === 201, `a session with the key of before: ${told(facts)}`);
    },
  },
];
