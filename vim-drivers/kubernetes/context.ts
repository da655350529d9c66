import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { ClusterView, SlotSet } from './cluster-view.ts';
import type { ObjectClient } from './object-client.ts';

/** What the parts of the driver share. */
export interface DriverContext {
  readonly client: ObjectClient;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hostId: HostId;
  readonly scopeLabel: string;
  readonly nodePorts: NodePortRange;
  readonly written: WrittenSets;
}

/** Which numbers a Service may have on the machines: what is usual, until the cluster says otherwise. */
export class NodePortRange {
  #first = 30_000;
  #last = 32_767;

  has(number: number): boolean {
    return number >= this.#first && number <= this.#last;
  }

  /** Takes over what a refusal says of the range. Tells whether that was something new. */
  learn(message: string): boolean {
    const [, first, last] = /range of valid ports is (\d+)-(\d+)/.exec(message) ?? [];
    if (first === undefined || last === undefined) return false;
    if (Number(first) === this.#first && Number(last) === this.#last) return false;
    this.#first = Number(first);
    this.#last = Number(last);
    return true;
  }
}

/** Which version of each set this driver has written last, so that it sees when somebody else has changed one. */
export class WrittenSets {
  readonly #generations = new Map<string, { readonly content: string; readonly generation: number }>();

  remember(set: SlotSet, content: string): void {
    const { uid = '', generation = 0 } = set.object.metadata ?? {};
    this.#generations.set(uid, { content, generation });
  }

  forget(set: SlotSet): void {
    this.#generations.delete(set.object.metadata?.uid ?? '');
  }

  /** @param content what the set now says that it is: when another driver of the scope has written it, nothing is known of it here */
  isChangedByOthers(set: SlotSet, content: string): boolean {
    const { uid = '', generation = 0 } = set.object.metadata ?? {};
    const written = this.#generations.get(uid);
    return written !== undefined && written.content === content && written.generation < generation;
  }
}
