import type Docker from 'dockerode';
import { IotmanoError, createKeyedQueue, type Logger } from '../../kernel/index.ts';
import type { Engine } from './engine.ts';
import { hasStatus, refusalOf } from './engine-errors.ts';
import { KIND_LABEL, SCOPE_LABEL } from './labels.ts';
import { chooseSubnet } from './subnets.ts';

const SUBNET_ATTEMPTS = 50;

/** The user networks of one scope: there while an instance that belongs to them is. */
export class Networks {
  readonly #engine: Engine;
  readonly #scope: string;
  readonly #log: Logger;
  readonly #members = new Map<string, Set<string>>();
  readonly #known = new Set<string>();
  readonly #queue = createKeyedQueue();
  readonly #subnets = createKeyedQueue();

  constructor(engine: Engine, scope: string, log: Logger) {
    this.#engine = engine;
    this.#scope = scope;
    this.#log = log;
  }

  /** Notes that an instance belongs there, without looking whether the network is. */
  adopt(name: string, member: string): void {
    const members = this.#members.get(name) ?? new Set();
    members.add(member);
    this.#members.set(name, members);
  }

  /** Sees to it that the network is there for the instance. @throws IotmanoError `driver-failed` when its name is taken by another's */
  async join(name: string, member: string): Promise<void> {
    this.adopt(name, member);
    await this.#queue.run(name, async () => {
      if (this.#known.has(name)) return;
      const found = await this.#find(name);
      if (found === undefined) await this.#create(name);
      this.#known.add(name);
    });
  }

  /** The engine says that the network is not there: somebody has removed it. */
  missing(name: string): void {
    this.#known.delete(name);
  }

  missingAll(): void {
    this.#known.clear();
  }

  /** The instance is gone; with the last one the network goes, and those who were let in as guests leave it. */
  async leave(name: string, member: string): Promise<void> {
    const members = this.#members.get(name);
    members?.delete(member);
    await this.#queue.run(name, async () => {
      if ((this.#members.get(name)?.size ?? 0) > 0) return;
      this.#members.delete(name);
      this.#known.delete(name);
      const found = await this.#find(name, 'ours');
      if (found !== undefined) await this.#remove(name, found.Id);
    });
  }

  /** Removes the networks that nobody belongs to. */
  async sweep(): Promise<void> {
    const listed = await this.#engine.request<readonly Docker.NetworkInspectInfo[]>({
      method: 'GET',
      path: '/networks',
      query: { filters: { label: [`${SCOPE_LABEL}=${this.#scope}`] } },
      what: 'list networks',
    });
    for (const { Name } of listed) if (!this.#members.has(Name)) await this.leave(Name, '');
  }

  /** Lets a container into another network. */
  async connect(name: string, containerId: string): Promise<void> {
    try {
      await this.#engine.request({
        method: 'POST',
        path: `/networks/${name}/connect`,
        body: { Container: containerId },
        what: `connect a container with the network ${name}`,
        weight: 'heavy',
        timeoutSeconds: 60,
      });
    } catch (error) {
      // 403: it is there already. 404: those it is bound to have just gone, and nobody is there to be reached.
      if (!hasStatus(error, 403, 404)) throw error;
    }
  }

  async disconnect(name: string, containerId: string): Promise<void> {
    try {
      await this.#engine.request({
        method: 'POST',
        path: `/networks/${name}/disconnect`,
        body: { Container: containerId, Force: true },
        what: `disconnect a container from the network ${name}`,
        weight: 'heavy',
        timeoutSeconds: 60,
      });
    } catch (error) {
      if (!hasStatus(error, 403, 404, 500)) throw error; // it was not there
    }
  }

  async #find(name: string, whose?: 'ours'): Promise<Docker.NetworkInspectInfo | undefined> {
    const listed = await this.#engine.request<readonly Docker.NetworkInspectInfo[]>({
      method: 'GET',
      path: '/networks',
      query: { filters: { name: [name] } },
      what: 'list networks',
    });
    const found = listed.find((network) => network.Name === name);
    if (found === undefined || found.Labels?.[SCOPE_LABEL] === this.#scope) return found;
    if (whose === 'ours') return undefined;
    throw new IotmanoError(
      'driver-failed',
      `the engine has a network ${name} that is not ours; remove it or give it another name`,
      { network: name },
    );
  }

  async #create(name: string): Promise<void> {
    try {
      await this.#createWith(name, undefined);
    } catch (error) {
      if (hasStatus(error, 409) && (await this.#find(name)) !== undefined) return;
      if (!isAddressFault(error)) throw error;
      await this.#subnets.run('', () => this.#createWithSubnet(name, error));
    }
  }

  /** With one of our own subnets: those of the engine are used up. */
  async #createWithSubnet(name: string, cause: unknown): Promise<void> {
    const refused: string[] = [];
    for (;;) {
      const subnet = await this.#freeSubnet(refused, cause);
      try {
        return await this.#createWith(name, subnet);
      } catch (error) {
        // Others make networks, too; and one that is on its way out is no longer listed.
        if (!isAddressFault(error) || refused.length >= SUBNET_ATTEMPTS) throw error;
        refused.push(subnet);
      }
    }
  }

  async #createWith(name: string, subnet: string | undefined): Promise<void> {
    await this.#engine.request({
      method: 'POST',
      path: '/networks/create',
      body: {
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        Labels: { [SCOPE_LABEL]: this.#scope, [KIND_LABEL]: 'network' },
        ...(subnet === undefined ? {} : { IPAM: { Config: [{ Subnet: subnet }] } }),
      },
      what: `make the network ${name}`,
      weight: 'heavy',
      timeoutSeconds: 60,
    });
  }

  async #freeSubnet(refused: readonly string[], error: unknown): Promise<string> {
    const all = await this.#engine.request<readonly Docker.NetworkInspectInfo[]>({
      method: 'GET',
      path: '/networks',
      what: 'list networks',
    });
    const used = all.flatMap(({ IPAM }) => (IPAM?.Config ?? []).map(({ Subnet }) => Subnet ?? ''));
    const subnet = chooseSubnet([...used, ...refused]);
    if (subnet !== undefined) return subnet;
    throw new IotmanoError(
      'unavailable',
      'the engine has no addresses left for another network; remove networks that nobody uses (docker network prune), or give it more with default-address-pools',
      {},
      error,
    );
  }

  async #remove(name: string, id: string): Promise<void> {
    const path = `/networks/${id}`;
    for (let turn = 0; turn < 3; turn += 1) {
      try {
        await this.#engine.request({
          method: 'DELETE',
          path,
          what: `remove the network ${name}`,
          weight: 'heavy',
          timeoutSeconds: 60,
        });
        return;
      } catch (error) {
        if (hasStatus(error, 404)) return;
        if (!hasStatus(error, 403)) throw error;
      }
      if (!(await this.#sendGuestsAway(name, path))) break;
    }
    this.#log.warn({ network: name }, 'a network of ours stays: containers that are not ours are in it');
  }

  /** @returns whether everybody who was there could be asked to leave */
  async #sendGuestsAway(name: string, path: string): Promise<boolean> {
    const { Containers } = await this.#engine.request<Docker.NetworkInspectInfo>({
      method: 'GET',
      path,
      what: `look at the network ${name}`,
    });
    const ours = await this.#engine.request<readonly Docker.ContainerInfo[]>({
      method: 'GET',
      path: '/containers/json',
      query: { all: true, filters: { label: [`${SCOPE_LABEL}=${this.#scope}`], network: [name] } },
      what: 'list containers',
    });
    const ids = new Set(ours.map(({ Id }) => Id));
    for (const id of ids) await this.disconnect(name, id);
    return Object.keys(Containers ?? {}).every((id) => ids.has(id));
  }
}

/** The engine has no addresses for a network, or not these. */
function isAddressFault(error: unknown): boolean {
  return /non-overlapping|fully subnetted|pool overlaps|conflicts with network/i.test(
    refusalOf(error)?.said ?? '',
  );
}
