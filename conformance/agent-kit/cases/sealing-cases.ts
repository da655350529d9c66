import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { must } from '../../case.ts';
import { schemaFaults } from '../../mco-document.ts';
import { seal, type SealingKey } from '../../sealing.ts';
import type { AssignmentWish, Schemas } from '../ledger.ts';
import { comesToPass, describe, isSameRun, nextReport } from '../observe.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';

/** In which something that must not happen would have happened. */
const WATCH_SECONDS = 1.5;

export const sealingCases: readonly AgentCase[] = [
  {
    id: 'sealing-key-is-told',
    title: 'The agent tells with every session a key that secret values can be sealed to.',
    requirements: ['MCO-O-086'],
    async play(stage, { check }) {
      await stage.calm();
      stage.ledger.sessions.clear();
      const opened = await stage.until('the agent opens a session', () => stage.since('openSession')[0]);
      const { proof, sealingKey } = opened.body as Partial<Schemas['session-request']>;
      const told = proof === undefined ? sealingKey : decodeJwt(proof)['sealingKey'];
      const faults = told === undefined ? ['none is told'] : schemaFaults('sealing-key.json', told);
      check('MCO-O-086', faults.length === 0, `its key for sealed values: ${faults.join('; ')}`);
      const isGood = await seal(told as SealingKey, valuesFor('gw', wishOf('fn', stage.workload.runs))).then(
        () => true,
        () => false,
      );
      check('MCO-O-086', isGood, 'nothing can be sealed to the key that it told');
    },
  },
  {
    id: 'values-sealed-to-others-are-refused',
    title:
      'Values that are sealed for another host, for another workload or to another key are not used, and what runs runs on; those for this host and workload are.',
    requirements: ['MCO-O-087'],
    async play(stage, { check }) {
      await stage.calm();
      const runs = await stage.run();
      const before = stage.instanceOf(runs);
      for (const [what, wrong] of await wronglySealed(stage)) {
        stage.assign(runs, wrong);
        await stage.sleep(WATCH_SECONDS);
        await nextReport(stage);
        check('MCO-O-087', !stage.isRunning(wrong), `values for ${what} were used`);
        const after = stage.instanceOf(runs);
        check(
          'MCO-O-087',
          isSameRun(before, after),
          `beside values for ${what} what ran was ${describe(before)} and is ${describe(after)}`,
        );
      }
      const right = await sealedFor(stage, wishOf(stage.newName(), stage.workload.runs));
      stage.assign(runs, right);
      const isRunning = await comesToPass(stage, () => stage.isRunning(right));
      check('MCO-O-087', isRunning, 'what came with values that are for it was not started');
    },
  },
  {
    id: 'other-sealing-key-asks-for-the-whole',
    title:
      'An agent that has lost the key to which its stored wanted state is sealed asks for the whole first, and follows.',
    requirements: ['MCO-O-088'],
    needs: ['rekey'],
    async play(stage, { check }) {
      await stage.calm();
      const wish = wishOf(stage.newName(), stage.workload.runs);
      stage.assign(await sealedFor(stage, wish));
      await stage.until('what came with sealed values runs', () => stage.isRunning(wish));
      await nextReport(stage);
      const { bootId } = await stage.restart('rekey');
      const question = await stage.until('the new boot asks', () =>
        stage.since('getWanted').find((each) => each.bootId === bootId),
      );
      check(
        'MCO-O-088',
        question.query.get('full') === 'true' || !question.query.has('since'),
        `its first question was for changes since ${question.query.get('since') ?? ''}`,
      );
      const next = { ...wish, workload: { ...wish.workload, labels: { sealed: 'anew' } } };
      stage.assign(await sealedFor(stage, next));
      const isNamed = await comesToPass(stage, () => isReflected(stage, bootId) && stage.isRunning(next));
      check('MCO-O-088', isNamed, 'what was sealed to its new key was not taken over');
    },
  },
];

function valuesFor(hostId: string, { workload }: AssignmentWish): Schemas['sealed-values'] {
  return { hostId, workload: workload.key, config: { password: 'of the kit' }, seeds: {} };
}

function hostOf({ ledger }: AgentStage): { readonly hostId: string; readonly sealingKey: SealingKey } {
  const { host, sealingKey } = ledger;
  must(host !== undefined && sealingKey !== undefined, 'the agent has told no key for sealed values');
  return { hostId: host.hostId, sealingKey };
}

async function sealedFor(stage: AgentStage, wish: AssignmentWish): Promise<AssignmentWish> {
  const { hostId, sealingKey } = hostOf(stage);
  return { ...wish, sealed: await seal(sealingKey, valuesFor(hostId, wish)) };
}

async function wronglySealed(stage: AgentStage): Promise<readonly (readonly [string, AssignmentWish])[]> {
  const { hostId, sealingKey } = hostOf(stage);
  const { x = '' } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
  const own = (): AssignmentWish => wishOf(stage.newName(), stage.workload.runs);
  const [forHost, forWorkload, toKey] = [own(), own(), own()];
  return [
    ['another host', { ...forHost, sealed: await seal(sealingKey, valuesFor('another-host', forHost)) }],
    ['another workload', { ...forWorkload, sealed: await seal(sealingKey, valuesFor(hostId, own())) }],
    [
      'another key',
      { ...toKey, sealed: await seal({ kty: 'OKP', crv: 'X25519', x }, valuesFor(hostId, toKey)) },
    ],
  ];
}

/** Whether a report of that boot names the newest revision. */
function isReflected(stage: AgentStage, bootId: string): boolean {
  return stage
    .since('postReport')
    .some(
      (each) =>
        each.bootId === bootId &&
        (each.body as Partial<Schemas['report']>).appliedRevision === stage.ledger.revision,
    );
}
