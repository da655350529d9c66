import { IotmanoError } from '../kernel/index.ts';
import { isLoopback, type ApiOptions } from './api/index.ts';
import {
  loadNatsBinding,
  type MakeNatsCredential,
  type Mco,
  type NatsBinding,
  type NatsServerPlan,
} from './mco/index.ts';

export interface NatsOptions {
  /** `tls://host:port` of the servers of one cluster, or `nats://` on loopback. Three or more: measurements are kept on three. */
  readonly servers: readonly string[];
  /** PEM file of further certificate authorities, beside the system's. */
  readonly caFile?: string;
  /** Bound of the measurements that the servers keep. */
  readonly maxStreamBytes?: number;
}

export interface PreparedNats {
  readonly credential: MakeNatsCredential;
  readonly bind: (mco: Mco, api: Omit<ApiOptions, 'routes'>) => NatsBinding;
}

const DEFAULT_MAX_STREAM_BYTES = 1024 ** 3;

/**
 * Keys and servers, before anything else runs: a mistake in them ends the start. Whether the servers are there shows later, and ends nothing.
 * @throws IotmanoError `invalid-parameter` (servers, authorities), `store-failed` (keys)
 */
export async function prepareNats(
  { servers, caFile, maxStreamBytes = DEFAULT_MAX_STREAM_BYTES }: NatsOptions,
  dataDirectory: string,
): Promise<PreparedNats> {
  const { createNatsBinding, enrolmentCredential, loadAccountKeys, parseNatsPlace } = await loadNatsBinding();
  const place = parseNatsPlace(servers, caFile);
  const keys = loadAccountKeys(dataDirectory);
  return {
    credential: (hostId, token, expiresAt) => enrolmentCredential(keys, hostId, token, expiresAt),
    bind: (mco, api) => createNatsBinding({ mco, api, keys, place, maxStreamBytes }),
  };
}

/**
 * The configuration of a server of NATS that believes the orchestrator of this data directory; its keys are made where there are none.
 * @throws IotmanoError `unprocessable` where the server would be open to others without TLS, `store-failed` (keys)
 */
export async function natsServerConfig(dataDirectory: string, plan: NatsServerPlan): Promise<string> {
  const { listen, tls } = plan;
  if (tls === undefined && !isLoopback(listen.host))
    throw new IotmanoError(
      'unprocessable',
      `listening on ${listen.host} would show tokens and functions to the network; give a TLS certificate and key, or listen on 127.0.0.1`,
    );
  const { loadAccountKeys, renderServerConfig } = await loadNatsBinding();
  return renderServerConfig(loadAccountKeys(dataDirectory), plan);
}
