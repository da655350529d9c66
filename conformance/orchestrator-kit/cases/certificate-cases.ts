import { generateKeyPairSync } from 'node:crypto';
import { createKitAuthority } from '../../kit-authority.ts';
import {
  certificateFaults,
  certificateOf,
  isTurnedAway,
  openByCertificate,
  sendUnwelcome,
  sessionByCertificate,
  toldOf,
} from '../certified-host.ts';
import { factsOf, told, type PlayedHost } from '../played-host.ts';
import type { OrchestratorCase, OrchestratorStage } from '../stage.ts';

const HTTP_ONLY = { bindings: ['http'] } as const;
/** Of certificates that the kit makes itself. */
const LIFE_SECONDS = 3600;

/** What a certificate is good for, and whose. */
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
