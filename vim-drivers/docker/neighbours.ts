import type { HostId } from '../../kernel/index.ts';
import { instanceId } from '../contract.ts';

export interface Neighbour {
  /** Name of its container. */
  readonly name: string;
  readonly network: string;
}

/**
 * The instances of ours on this engine. Containers cannot reach ports that the engine publishes for containers of another network; they reach
 * the containers themselves, by name, in a network that both are in.
 */
export class Neighbours {
  readonly #hostId: HostId;
  readonly #byName = new Map<string, Neighbour>();
  readonly #byId = new Map<string, Neighbour>();

  constructor(hostId: HostId) {
    this.#hostId = hostId;
  }

  /** @returns whether that is news */
  add(name: string, network: string): boolean {
    if (this.#byName.get(name)?.network === network) return false;
    const neighbour = { name, network };
    this.#byName.set(name, neighbour);
    this.#byId.set(instanceId(this.#hostId, name), neighbour);
    return true;
  }

  delete(name: string): void {
    this.#byName.delete(name);
    this.#byId.delete(instanceId(this.#hostId, name));
  }

  /** By the id under which bindings name it. */
  find(id: string): Neighbour | undefined {
    return this.#byId.get(id);
  }
}
