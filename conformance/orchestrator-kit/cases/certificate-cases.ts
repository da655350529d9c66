import { generateKeyPairSync } from 'node:crypto';
import { createKitAuthority } from '../../kit-authority.ts';
import {
  certificateFaults,
  certificateOf,
  isTurnedAway,
  openByCertificate,
  openKept,
  sendUnwelcome,
  sessionByCertificate,
  toldOf,
} from '../certified-host.ts';
import type { Answer, KeptConnection } from '../agent-wire.ts';
import { factsOf, told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase, OrchestratorStage } from '../stage.ts';

const HTTP_ONLY = { bindings: ['http'] } as const;
const LONG_POLL_SECONDS = 3600;
/** In which a revocation has to have ended what is open: well below any heartbeat. */
const AT_ONCE_SECONDS = 3;
const LOOK_SECONDS = 0.05;
/** In which a question has begun to wait. */
const SETTLING_SECONDS = 0.3;
/** Of certificates that the kit makes itself. */
const LIFE_SECONDS = 3600;

export const certificateCases: readonly OrchestratorCase[] = [
  {
    id: 'certificate-takes-the-place-of-proof-and-token',
    title:
      'The enrolment gives a certificate for the key of the host. A connection that shows it opens a session without a proof, and needs no token; one that shows none needs both.',
    requirements: ['MCO-C-060'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const isEnrolledWithOne = host.certificate !== undefined;
      const certificate = await certificateOf(stage, host);
      check(
        'MCO-C-060',
        isEnrolledWithOne,
        'the enrolment gave no certificate, though a session gave one that was asked for',
      );
      const faults = host.certificate === undefined ? [] : certificateFaults(host, host.certificate);
      check('MCO-C-060', faults.length === 0, `the certificate of the host: ${faults.join('; ')}`);
      const opened = await host.send('openSession', { certificate, ...sessionByCertificate(host) });
      check(
        'MCO-C-060',
        opened.status === 201 && opened.faults.length === 0,
        `a session with the certificate: ${told(opened)} ${opened.faults.join('; ')}`,
      );
      if (opened.status !== 201) return;
      const bare = { token: undefined };
      const wanted = await host.send('getWanted', { certificate, ...bare });
      check('MCO-C-060', wanted.status === 200, `without a token, with the certificate: ${told(wanted)}`);
      const body = factsOf(host.hostId);
      const facts = await host.send('putFacts', { certificate, ...bare, sequence: 2, body });
      check('MCO-C-060', facts.status === 200, `without a token, with the certificate: ${told(facts)}`);
      const nothing = await host.send('getWanted', bare);
      check('MCO-C-060', isTurnedAway(nothing), `without token and certificate: ${told(nothing)}`);
      const unproven = await host.send('openSession', sessionByCertificate(host));
      check(
        'MCO-C-060',
        [400, 401, 403].includes(unproven.status),
        `a session without proof and certificate: ${told(unproven)}`,
      );
    },
  },
  {
    id: 'certificate-of-another-authority-is-not-taken',
    title:
      'A certificate that names the host, from an authority that nobody has told the orchestrator of, opens no session and nothing else.',
    requirements: ['MCO-C-060'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      await openByCertificate(host, await certificateOf(stage, host));
      const { privateKey } = generateKeyPairSync('ed25519');
      for (const [whose, key] of [
        ['the key of the host', host.key],
        ['another key', privateKey],
      ] as const) {
        const certificate = await forgedFor(stage, host, key);
        const opened = await sendUnwelcome(host, 'openSession', {
          key,
          certificate,
          ...sessionByCertificate(host),
        });
        check('MCO-C-060', isTurnedAway(opened), `a forged certificate for ${whose}: ${toldOf(opened)}`);
        const wanted = await sendUnwelcome(host, 'getWanted', { key, certificate, token: undefined });
        check('MCO-C-060', isTurnedAway(wanted), `a forged certificate for ${whose}: ${toldOf(wanted)}`);
      }
    },
  },
  {
    id: 'certificate-is-of-one-host',
    title:
      'A connection that shows the certificate of one host opens no session of another, and nothing else.',
    requirements: ['MCO-C-060'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const [host, other] = [await stage.readyHost(), await stage.enrolledHost()];
      await openByCertificate(host, await certificateOf(stage, host));
      const shown = { key: other.key, certificate: await certificateOf(stage, other) };
      const opened = await sendUnwelcome(host, 'openSession', { ...shown, ...sessionByCertificate(host) });
      check('MCO-C-060', isTurnedAway(opened), `with the certificate of another host: ${toldOf(opened)}`);
      const wanted = await sendUnwelcome(host, 'getWanted', { ...shown, token: undefined });
      check('MCO-C-060', isTurnedAway(wanted), `with the certificate of another host: ${toldOf(wanted)}`);
    },
  },
  {
    id: 'session-of-a-certificate-is-bound-to-it',
    title:
      'The token of a session that was opened with a certificate is good on a connection that shows it, and on none that shows no certificate, or a forged one.',
    requirements: ['MCO-C-064'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const certificate = await certificateOf(stage, host);
      const token = await openByCertificate(host, certificate);
      const own = await host.send('getWanted', { token, certificate });
      check('MCO-C-064', own.status === 200, `its token, with the certificate: ${told(own)}`);
      const without = await host.send('getWanted', { token });
      check('MCO-C-064', isTurnedAway(without), `its token, without a certificate: ${told(without)}`);
      const forged = await sendUnwelcome(host, 'getWanted', {
        token,
        certificate: await forgedFor(stage, host, host.key),
      });
      check('MCO-C-064', isTurnedAway(forged), `its token, with a forged certificate: ${toldOf(forged)}`);
    },
  },
  {
    id: 'session-of-a-certificate-is-of-one-host',
    title:
      'The token of a session that was opened with a certificate is not good on a connection that shows that of another host.',
    requirements: ['MCO-C-064'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const [host, other] = [await stage.readyHost(), await stage.enrolledHost()];
      const token = await openByCertificate(host, await certificateOf(stage, host));
      const shown = { key: other.key, certificate: await certificateOf(stage, other) };
      const stolen = await sendUnwelcome(host, 'getWanted', { token, ...shown });
      check(
        'MCO-C-064',
        isTurnedAway(stolen),
        `its token, with the certificate of another host: ${toldOf(stolen)}`,
      );
    },
  },
  {
    id: 'revoked-certificate-is-refused',
    title:
      'Once an operator has revoked a host, its certificate opens no session, and no operation takes it in place of a token.',
    requirements: ['MCO-C-062'],
    needs: ['revoke'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const certificate = await certificateOf(stage, host);
      await openByCertificate(host, certificate);
      await stage.operator.do('revoke', host.hostId);
      await judgeRefused(host, certificate, (holds, message) => check('MCO-C-062', holds, message));
    },
  },
  {
    id: 'revocation-ends-what-is-open',
    title:
      'When an operator revokes a host, its waiting question ends, the connections that show its certificate are cut, and all of its sessions are over.',
    requirements: ['MCO-C-063'],
    needs: ['revoke'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const certificate = await certificateOf(stage, host);
      await host.comeUp();
      await openByCertificate(host, certificate);
      const monitoring = await openMonitoring(host);
      const kept = openKept(stage, host, certificate);
      const question = askOnAndOn(stage, host, kept);
      await stage.sleep(SETTLING_SECONDS);
      check('MCO-C-063', kept.isOpen(), 'a connection did not stay open while a question waited on it');
      await stage.operator.do('revoke', host.hostId);
      const ended = await Promise.race([question, stage.sleep(AT_ONCE_SECONDS)]);
      check(
        'MCO-C-063',
        ended !== undefined,
        `a waiting question was still waiting ${AT_ONCE_SECONDS} s later`,
      );
      check(
        'MCO-C-063',
        await isCut(stage, kept),
        `a connection that shows the certificate was still open ${AT_ONCE_SECONDS} s later`,
      );
      const late = await host.send('getWanted', monitoring);
      check('MCO-C-063', isTurnedAway(late), `with the session that a proof has opened: ${told(late)}`);
      kept.close();
    },
  },
  {
    id: 'revoked-host-comes-back-with-another-key-only',
    title:
      'A host that was revoked is not enrolled again with its key, and is with another one; the old certificate is refused for good.',
    requirements: ['MCO-C-062', 'MCO-C-063'],
    needs: ['revoke'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const certificate = await certificateOf(stage, host);
      await openByCertificate(host, certificate);
      await stage.operator.do('revoke', host.hostId);
      const again = await host.askEnrolment(await stage.tokenOf(host));
      check('MCO-C-063', again.status >= 400, `an enrolment with the key that was revoked: ${told(again)}`);
      const successor = stage.sameName(host);
      const enrolled = await successor.askEnrolment(await stage.tokenOf(successor));
      check('MCO-C-063', enrolled.status === 201, `an enrolment with another key: ${told(enrolled)}`);
      if (enrolled.status !== 201) return;
      const { stateId, certificate: next } = enrolled.body as Schemas['enrolment'];
      Object.assign(successor, { stateId, certificate: next });
      await judgeRefused(host, certificate, (holds, message) => check('MCO-C-062', holds, message));
      const opened = await successor.send('openSession', {
        certificate: await certificateOf(stage, successor),
        ...sessionByCertificate(successor),
      });
      check('MCO-C-063', opened.status === 201, `a session with the new certificate: ${told(opened)}`);
    },
  },
];

/** A certificate that only the kit believes. */
async function forgedFor(
  { clock }: OrchestratorStage,
  { hostId }: PlayedHost,
  key: PlayedHost['key'],
): Promise<string> {
  const authority = await createKitAuthority(clock);
  return (await authority.issue(hostId, key, LIFE_SECONDS)).certificate;
}

async function judgeRefused(
  host: PlayedHost,
  certificate: string,
  check: (holds: boolean, message: string) => void,
): Promise<void> {
  const opened = await sendUnwelcome(host, 'openSession', { certificate, ...sessionByCertificate(host) });
  check(isTurnedAway(opened), `a session with the certificate of a revoked host: ${toldOf(opened)}`);
  const wanted = await sendUnwelcome(host, 'getWanted', { certificate, token: undefined });
  check(isTurnedAway(wanted), `its certificate in place of a token: ${toldOf(wanted)}`);
}

/** A session beside that of the orchestration agent, which shows no certificate. @returns what its messages carry */
async function openMonitoring(host: PlayedHost): Promise<{ readonly token: string }> {
  const byCertificate = host.session;
  const { token } = await host.openSession({ roles: ['monitoring'] });
  host.session = byCertificate;
  await host.expect(200, 'getWanted', { token });
  return { token };
}

/** Asks over the connection, and again whenever nothing has changed. @returns what ends that; `cut` where the connection was ended under it */
async function askOnAndOn(
  stage: OrchestratorStage,
  host: PlayedHost,
  over: KeptConnection,
): Promise<Answer | 'cut'> {
  let query: Readonly<Record<string, string>> = {};
  while (!stage.signal.aborted) {
    const answer = await sendUnwelcome(host, 'getWanted', { over, query });
    if (answer === undefined) return 'cut';
    if (answer.status >= 400) return answer;
    query = { since: String(answer.headers['mco-revision'] ?? 0), wait: String(LONG_POLL_SECONDS) };
  }
  return 'cut';
}

async function isCut(stage: OrchestratorStage, kept: KeptConnection): Promise<boolean> {
  const until = stage.clock.monotonic() + AT_ONCE_SECONDS * 1000;
  while (kept.isOpen()) {
    if (stage.clock.monotonic() > until || stage.signal.aborted) return false;
    await stage.sleep(LOOK_SECONDS);
  }
  return true;
}
