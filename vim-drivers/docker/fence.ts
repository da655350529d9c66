import { IotmanoError, createTurns } from '../../kernel/index.ts';
import type { Fence } from '../contract.ts';
import type { Engine } from './engine.ts';
import { KIND_LABEL, RECORD_LABEL, SCOPE_LABEL } from './labels.ts';
import { scopeTag } from './names.ts';
import { createVolume, listVolumes, removeVolume } from './notes.ts';

interface StoredFence extends Fence {
  readonly name: string;
}

/**
 * The newest command that any driver of this scope has seen, kept on the engine itself as the labels of an empty volume. The newer one is made before
 * the older ones go, and looked at again after it was made, so that of two drivers at the same moment the older one learns of the newer.
 */
export class EngineFence {
  readonly #engine: Engine;
  readonly #scope: string;
  /** The command that came last and is not looked at yet: those of the same fence share its look. */
  #waiting: { readonly fence: Fence; readonly passed: Promise<void> } | undefined;
  readonly #inTurn = createTurns();

  constructor(engine: Engine, scope: string) {
    this.#engine = engine;
    this.#scope = scope;
  }

  /**
   * Commands are looked at in the order in which they came: an older one that came first is not stale.
   * @throws IotmanoError `stale-lease`, or `unavailable` when the engine does not answer
   */
  pass(fence: Fence): Promise<void> {
    const waiting = this.#waiting;
    if (waiting !== undefined && compareFences(waiting.fence, fence) === 0) return waiting.passed;
    const passed = this.#inTurn(() => {
      if (this.#waiting === entry) this.#waiting = undefined;
      return this.#check(fence);
    });
    const entry = { fence, passed };
    this.#waiting = entry;
    return passed;
  }

  async #check(fence: Fence): Promise<void> {
    const seen = await this.#newest();
    demandNotOlder(fence, seen);
    if (compareFences(fence, seen) === 0) return;
    const { leaseNumber, revision } = fence;
    const name = `iotmano-${scopeTag(this.#scope)}-fence-${leaseNumber}-${revision}`;
    const found = await createVolume(this.#engine, name, {
      [SCOPE_LABEL]: this.#scope,
      [KIND_LABEL]: 'fence',
      [RECORD_LABEL]: JSON.stringify({ leaseNumber, revision }),
    });
    if (found[SCOPE_LABEL] !== this.#scope)
      throw new IotmanoError('driver-failed', `the engine has a volume ${name} that is not ours; remove it`, {
        volume: name,
      });
    demandNotOlder(fence, await this.#newest());
  }

  async #newest(): Promise<Fence> {
    const volumes = await listVolumes(this.#engine, this.#scope, { [KIND_LABEL]: 'fence' });
    const fences = volumes
      .map(({ name, labels }) => parseFence(name, labels[RECORD_LABEL]))
      .filter((fence) => fence !== undefined)
      .toSorted((a, b) => compareFences(b, a));
    const [newest, ...older] = fences;
    for (const { name } of older) await removeVolume(this.#engine, name);
    return newest ?? { leaseNumber: 0, revision: 0 };
  }
}

function parseFence(name: string, text: string | undefined): StoredFence | undefined {
  try {
    const { leaseNumber, revision } = JSON.parse(text ?? '') as Fence;
    return Number.isFinite(leaseNumber) && Number.isFinite(revision)
      ? { name, leaseNumber, revision }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Negative when the first is older. */
export function compareFences(a: Fence, b: Fence): number {
  return a.leaseNumber - b.leaseNumber || a.revision - b.revision;
}

function demandNotOlder(fence: Fence, seen: Fence): void {
  if (compareFences(fence, seen) >= 0) return;
  throw new IotmanoError(
    'stale-lease',
    `the command is of lease ${fence.leaseNumber}, revision ${fence.revision}; this engine has seen lease ${seen.leaseNumber}, revision ${seen.revision}`,
    { seen: { leaseNumber: seen.leaseNumber, revision: seen.revision } },
  );
}
