import { generateKeyPairSync, randomUUID, type JsonWebKey } from 'node:crypto';
import { messageOf } from '../../../kernel/index.ts';
import { unseal } from '../../sealing.ts';
import { obey } from '../obedience.ts';
import { told, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

type Wanted = Schemas['wanted'];

export const sealingCases: readonly OrchestratorCase[] = [
  {
    id: 'sealing-key-has-to-be-one',
    title:
      'A proof with a key that nothing can be sealed to is answered with 401; one with a good key, or with none, is taken.',
    requirements: ['MCO-O-086'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const { publicJwk } = newSealingKey();
      const bad: readonly (readonly [string, unknown])[] = [
        ['a point of small order', { ...publicJwk, x: 'A'.repeat(43) }],
        ['too few bytes', { ...publicJwk, x: 'AAAA' }],
        ['another curve', { ...publicJwk, crv: 'X448' }],
        ['a text', publicJwk.x],
      ];
      for (const [what, sealingKey] of bad) {
        const answer = await host.askSession({ sealingKey });
        check('MCO-O-086', answer.status === 401, `with ${what} as its key: ${told(answer)}`);
      }
      const good = await host.askSession({ sealingKey: publicJwk });
      check('MCO-O-086', good.status === 201, `with a good key: ${told(good)}`);
      const none = await host.askSession();
      check('MCO-O-086', none.status === 201, `without a key: ${told(none)}`);
    },
  },
  {
    id: 'secret-values-come-sealed',
    title:
      'A secret value of an assigned function comes sealed to the key of its host, for that host and workload, and nowhere in the clear.',
    requirements: ['MCO-O-080'],
    needs: ['assign-secret', 'unassign'],
    isWaiting: true,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const { publicJwk, privateJwk } = newSealingKey();
      const secret = randomUUID();
      await host.comeUp();
      await host.openSession({ sealingKey: publicJwk });
      const obedient = obey(stage, host, await host.expect<Wanted>(200, 'getWanted'));
      await stage.operator.do('assign-secret', host.hostId, secret);
      const wanted = await host.expect<Wanted>(200, 'getWanted');
      check(
        'MCO-O-080',
        !JSON.stringify(wanted).includes(secret),
        'the secret value is in the wanted state in the clear',
      );
      const opened = await Promise.all(wanted.assignments.map((each) => openOf(each, privateJwk)));
      const found = opened.find((text) => text.includes(secret));
      check(
        'MCO-O-080',
        found !== undefined,
        `no assignment has the secret value sealed to the key of the host: ${opened.map((text) => text.replaceAll(secret, '(secret)')).join('; ') || 'nothing is assigned'}`,
      );
      for (const [index, { workload }] of wanted.assignments.entries()) {
        if (opened[index] !== found || found === undefined) continue;
        const values = JSON.parse(found) as Partial<Schemas['sealed-values']>;
        const isFor =
          values.hostId === host.hostId && values.workload?.vnfInstanceId === workload.key.vnfInstanceId;
        check('MCO-O-080', isFor, 'what is sealed does not name its host and its workload');
      }
      await stage.operator.do('unassign', host.hostId);
      obedient.end();
    },
  },
];

/** What is sealed in an assignment, or why there is nothing to be read. */
async function openOf({ sealed }: Schemas['assignment'], privateJwk: JsonWebKey): Promise<string> {
  if (sealed === undefined) return 'nothing is sealed';
  return unseal(sealed, privateJwk).then(
    (values) => JSON.stringify(values),
    (error: unknown) => `what is sealed cannot be opened: ${messageOf(error)}`,
  );
}

interface SealingKeyPair {
  readonly publicJwk: Schemas['sealing-key'];
  readonly privateJwk: JsonWebKey;
}

function newSealingKey(): SealingKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { publicJwk: { kty: 'OKP', crv: 'X25519', x }, privateJwk: privateKey.export({ format: 'jwk' }) };
}
