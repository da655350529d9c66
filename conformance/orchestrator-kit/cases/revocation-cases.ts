import {
  certificateOf,
  isTurnedAway,
  openByCertificate,
  openKept,
  sendUnwelcome,
  sessionByCertificate,
  toldOf,
} from '../certified-host.ts';
import type { Answer, KeptConnection } from '../agent-wire.ts';
import { comesToPass } from '../comes-to-pass.ts';
import { told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase, OrchestratorStage } from '../stage.ts';

const HTTP_ONLY = { bindings: ['http'] } as const;
const LONG_POLL_SECONDS = 3600;
/** In which a revocation has to have ended what is open: well below any heartbeat. */
const AT_ONCE_SECONDS = 3;
/** In which a question has begun to wait. */
const SETTLING_SECONDS = 0.3;

/** What is over once an operator has revoked a host that has a certificate. */
export const revocationCases: readonly OrchestratorCase[] = [
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
        await comesToPass(stage, () => !kept.isOpen(), AT_ONCE_SECONDS),
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
