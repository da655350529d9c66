import { NotApplicable, must } from '../../case.ts';
import { CERTIFICATE_SECONDS, type Schemas } from '../ledger.ts';
import { comesToPass } from '../observe.ts';
import { problem } from '../operations.ts';
import type { Received } from '../orchestrator-wire.ts';
import type { AgentCase, AgentStage } from '../stage.ts';

const HTTP_ONLY = { bindings: ['http'] } as const;

export const certificateCases: readonly AgentCase[] = [
  {
    id: 'proof-where-the-certificate-is-not-taken',
    title:
      'An agent whose certificate is answered with 401 where it asks for a session opens it with a proof, and goes on.',
    requirements: ['MCO-C-065'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      requireTls(stage);
      await stage.calm();
      const before = await nextSession(stage, () => true);
      if (proofOf(before) !== undefined)
        throw new NotApplicable(
          'needs an agent that opens sessions with its certificate: this one sent a proof, though it had been given a good certificate',
        );
      stage.played.fate = (received) =>
        received.operation === 'openSession' && proofOf(received) === undefined
          ? { reply: problem(401, 'the certificate is not taken; get a challenge and send a proof') }
          : undefined;
      const isProven = await nextSession(stage, (each) => proofOf(each) !== undefined).then(
        () => true,
        () => false,
      );
      check('MCO-C-065', isProven, 'no session was opened with a proof after the certificate was not taken');
      if (!isProven) return;
      const goesOn = await comesToPass(stage, () => {
        const { received, statuses } = stage.played;
        const newest = received.findLast(({ operation }) => operation === 'getWanted');
        return newest !== undefined && [200, 304].includes(statuses.get(newest) ?? 0);
      });
      check('MCO-C-065', goesOn, 'it did not go on with the session that its proof has opened');
    },
  },
  {
    id: 'certificate-is-renewed-in-time',
    title:
      'An agent whose certificate lasts for some seconds asks for the next one before two thirds of its life have passed, however long its session may last.',
    requirements: ['MCO-C-061'],
    ...HTTP_ONLY,
    async play(stage, { check }) {
      requireTls(stage);
      await stage.calm();
      stage.ledger.certificateSeconds = stage.certificateSeconds;
      try {
        await enrolAnew(stage);
        if (!usesCertificates(stage))
          throw new NotApplicable(
            'needs an agent with certificates: this one was given some, and has neither shown one nor asked for the next',
          );
        const { issued } = stage.ledger;
        const count = issued.length;
        const newest = issued[count - 1];
        must(newest !== undefined, 'the kit has issued no certificate');
        const seconds = (dueAt(newest) - stage.clock.now()) / 1000;
        const isRenewed = await comesToPass(stage, () => issued.length > count, seconds);
        check(
          'MCO-C-061',
          isRenewed,
          `a certificate that is good from ${newest.notBefore} until ${newest.notAfter} was not renewed while two thirds of that passed`,
        );
      } finally {
        stage.ledger.certificateSeconds = CERTIFICATE_SECONDS;
        stage.ledger.sessions.clear();
      }
    },
  },
];

/** @throws NotApplicable where the agent does not speak TLS with the kit */
function requireTls({ played }: AgentStage): void {
  if (played.wire.authority === undefined)
    throw new NotApplicable(
      'needs TLS, since a certificate is shown on a connection of TLS only: give --listen https://127.0.0.1:8901',
    );
}

function proofOf({ body }: Received): string | undefined {
  return (body as Partial<Schemas['session-request']> | undefined)?.proof;
}

/** Ends the sessions of the agent, and waits for one that is opened as it is to be. @throws CaseFailure */
async function nextSession(stage: AgentStage, isIt: (opening: Received) => boolean): Promise<Received> {
  const from = stage.since('openSession').length;
  stage.ledger.sessions.clear();
  return stage.until('a session is opened', () =>
    stage
      .since('openSession')
      .slice(from)
      .find((each) => stage.played.statuses.get(each) === 201 && isIt(each)),
  );
}

/** Forgets the host, so that it gets another certificate: one is given to who enrols, or asks for it. @throws NotApplicable where it does not enrol again */
async function enrolAnew(stage: AgentStage): Promise<void> {
  const { ledger } = stage;
  const { host } = ledger;
  const from = stage.since('openSession').length;
  ledger.host = undefined;
  ledger.sessions.clear();
  if (!(await comesToPass(stage, () => ledger.host !== undefined))) {
    ledger.host = host;
    throw new NotApplicable(
      'needs an agent that enrols again when it was forgotten, with the token that was printed: only then can it be given a certificate that lasts for some seconds',
    );
  }
  await stage.until('the agent opens a session after it has enrolled again', () =>
    stage
      .since('openSession')
      .slice(from)
      .some((each) => stage.played.statuses.get(each) === 201),
  );
}

/** Whether it has made any use of certificates, since it came. */
function usesCertificates({ played }: AgentStage): boolean {
  return played.received.some(({ operation, certificate, body }) => {
    const asks = (body as Partial<Schemas['session-request']> | undefined)?.wantsCertificate === true;
    return certificate !== undefined || (operation === 'openSession' && asks);
  });
}

/** When two thirds of its life have passed: milliseconds since the epoch. */
function dueAt({ notBefore, notAfter }: Schemas['host-certificate']): number {
  const [from, to] = [Date.parse(notBefore), Date.parse(notAfter)];
  return from + ((to - from) * 2) / 3;
}
