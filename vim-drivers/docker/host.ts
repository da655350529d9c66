import type Docker from 'dockerode';
import type { EngineTraits } from './create-options.ts';
import { measureDisk, type DiskRoom } from './disk-room.ts';
import { isLoopback, type Engine } from './engine.ts';
import type { EngineInfo } from './inventory.ts';
import type { DockerDriverOptions } from './options.ts';

/** What is known of the engine's machine. It is asked once, and again after the engine was away. */
export class EngineHost {
  readonly #engine: Engine;
  readonly #options: DockerDriverOptions;
  #info: Promise<EngineInfo> | undefined;
  #gateway: Promise<string> | undefined;
  #lacksInit = false;

  constructor(engine: Engine, options: DockerDriverOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** The engine was away: another one may be there. */
  forget(): void {
    this.#info = undefined;
    this.#gateway = undefined;
  }

  /** @param isFresh as of now */
  info(isFresh = false): Promise<EngineInfo> {
    if (isFresh) this.#info = undefined;
    this.#info ??= this.#once(
      this.#engine.request<EngineInfo>({ method: 'GET', path: '/info', what: 'describe itself' }),
      () => {
        this.#info = undefined;
      },
    );
    return this.#info;
  }

  async room(): Promise<DiskRoom | undefined> {
    return measureDisk(this.#engine, (await this.info()).DockerRootDir);
  }

  withoutInit(): void {
    this.#lacksInit = true;
  }

  async traits(): Promise<EngineTraits> {
    const info = await this.info();
    return {
      hasInit: !this.#lacksInit && info.InitBinary !== '',
      hasQuota: info.CpuCfsQuota,
      hasSwapLimit: info.SwapLimit,
      logDriver: info.LoggingDriver,
    };
  }

  /** From where others reach what runs there. */
  async address(): Promise<string> {
    const { address, endpoint } = this.#options;
    if (address !== undefined) return address;
    if (endpoint.type === 'tcp' && !isLoopback(endpoint.host)) return endpoint.host;
    this.#gateway ??= this.#once(this.#findGateway(), () => {
      this.#gateway = undefined;
    });
    return this.#gateway;
  }

  /** On the engine's own machine a container is asked itself: what is published on loopback answers even where nobody listens. */
  probeAddress(containerAddress: string): string {
    const { endpoint } = this.#options;
    if (this.#engine.isLocal && containerAddress !== '') return containerAddress;
    return endpoint.type === 'tcp' ? endpoint.host : '127.0.0.1';
  }

  async #findGateway(): Promise<string> {
    const bridge = await this.#engine
      .request<Docker.NetworkInspectInfo>({
        method: 'GET',
        path: '/networks/bridge',
        what: 'look at its default network',
      })
      .catch(() => undefined);
    const [config] = bridge?.IPAM?.Config ?? [];
    const first = (config?.Subnet ?? '').replace(/\.\d+\/\d+$/, '.1');
    return config?.Gateway ?? (first === '' ? '127.0.0.1' : first);
  }

  #once<T>(asked: Promise<T>, forget: () => void): Promise<T> {
    asked.catch(forget);
    return asked;
  }
}
