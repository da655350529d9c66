import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { Tier } from '../../descriptors/index.ts';
import type { ArtifactSource } from '../contract.ts';

export type DockerEndpoint =
  | { readonly type: 'socket'; readonly path: string }
  | {
      readonly type: 'tcp';
      readonly host: string;
      readonly port: number;
      /** PEM texts. Absent: plain HTTP. */
      readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
    };

export interface DockerDriverOptions {
  readonly hostId: HostId;
  /** Whose containers these are: a label on everything that the driver makes. Two drivers with one scope are the same driver. */
  readonly scope: string;
  readonly endpoint: DockerEndpoint;
  readonly artifacts: ArtifactSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** From where others reach what runs there; absent: the gateway of the engine's default network, or the host of the endpoint. */
  readonly address?: string;
  /** Numbers for the ports that the host chooses, both ends included. */
  readonly portRange?: readonly [number, number];
  readonly tier?: Tier;
  readonly labels?: Readonly<Record<string, string>>;
}
