import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { IotmanoError, randomIds, systemClock, type Logger } from '../kernel/index.ts';
import {
  createApi,
  ensureAdminToken,
  followCertificate,
  loadApiDocuments,
  serveApi,
  type ApiDocuments,
  type ApiServer,
  type ListenOptions,
} from './api/index.ts';
import { loadTrustedCertificates } from '../descriptors/index.ts';
import { compose, type ComposeOptions, type PlacementSettings } from './compose.ts';
import { disconnectRevoked } from './mco/index.ts';
import type { ScalingLimits } from './scaling/index.ts';
import { prepareNats, type NatsOptions } from './compose-nats.ts';
import { openTls, type TlsOptions } from './compose-tls.ts';
import { createDriverOpener } from './compose-drivers.ts';
import { openContentFiles } from './packages/index.ts';
import { createSecretBox, loadSecretsKey } from './sites/index.ts';
import { openSqliteStore, type StateStore } from './store/index.ts';

export interface OrchestratorOptions extends TlsOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** State, packages and the admin token. One orchestrator at a time. */
  readonly dataDirectory: string;
  readonly log: Logger;
  /** Identifier of the M2M service provider (TS-0001 clause 7.1.6). */
  readonly m2mSpId?: string;
  /** Of one uploaded package. */
  readonly maxPackageBytes?: number;
  /** Whose signatures packages are to have; absent: they are not looked at. */
  readonly packageSignatures?: { readonly required: boolean; readonly trustFiles: readonly string[] };
  readonly placement?: PlacementSettings;
  readonly scaling?: ScalingLimits;
  /** Absent: hosts are reached over HTTP only. */
  readonly nats?: NatsOptions;
}

export interface RunningOrchestrator {
  readonly url: string;
  readonly adminTokenFile: string;
  /** Ends loops and connections, and writes what is accepted. Agents and functions run on. */
  close(): Promise<void>;
}

const DEFAULT_M2M_SP_ID = '//iotmano.example';
const DEFAULT_MAX_PACKAGE_BYTES = 4 * 1024 ** 3;

/**
 * Runs the orchestrator in this process: the only place that reads the clock, randomness and the file system for all rooms.
 * A fault that nobody catches is logged and ends the process with status 1, as a failed write of the store does: whoever supervises it
 * starts it again, and it goes on from what is durable.
 * @throws IotmanoError `store-locked`, `store-newer`, `store-failed`, `unprocessable` (address, certificates); then nothing runs
 */
export async function runOrchestrator(options: OrchestratorOptions): Promise<RunningOrchestrator> {
  const { dataDirectory, log } = options;
  const { readServed, hostAuthority } = openTls(options);
  const served = readServed?.();
  const clientAuthorities = hostAuthority?.certificates;
  const tls = served && { ...served, ...(clientAuthorities === undefined ? {} : { clientAuthorities }) };
  const packageSignatures = await loadSignaturePolicy(options.packageSignatures);
  const opening = openSqliteStore({
    directory: join(dataDirectory, 'state'),
    ids: randomIds,
    logger: log,
    onFatal: (error) => {
      log.fatal({ err: error }, 'the state store failed; nothing more is acknowledged');
      process.exit(1);
    },
  });
  // Here, because the thread of the store has begun to read meanwhile.
  const documents = loadApiDocuments();
  const store = await opening;
  // Node ends the process after it, with status 1.
  const logFault = (error: Error): void => log.fatal({ err: error }, 'a fault that nobody has caught');
  process.on('uncaughtExceptionMonitor', logFault);
  const letGo = async (): Promise<void> => {
    await store.close();
    process.off('uncaughtExceptionMonitor', logFault);
  };
  try {
    const { close, useCertificate, ...running } = await serve(options, store, documents, {
      ...(tls === undefined ? {} : { tls }),
      ...(packageSignatures === undefined ? {} : { packageSignatures }),
      ...(hostAuthority === undefined ? {} : { hostAuthority }),
    });
    const stopping = new AbortController();
    if (served !== undefined && readServed !== undefined)
      void followCertificate(served, {
        read: readServed,
        use: useCertificate,
        clock: systemClock,
        log,
        signal: stopping.signal,
      });
    return {
      ...running,
      close: async () => {
        stopping.abort();
        await close();
        await letGo();
      },
    };
  } catch (error) {
    await letGo();
    throw error;
  }
}

/** Everything over the store. Closing ends it in the opposite order: first what asks, then what works, and last, by the caller, the store. */
async function serve(
  { dataDirectory, log, listen, m2mSpId, maxPackageBytes, placement, scaling, nats }: OrchestratorOptions,
  store: StateStore,
  documents: ApiDocuments,
  {
    tls,
    packageSignatures,
    hostAuthority,
  }: Pick<ListenOptions, 'tls'> & Pick<ComposeOptions, 'packageSignatures' | 'hostAuthority'>,
): Promise<RunningOrchestrator & Pick<ApiServer, 'useCertificate'>> {
  const shared = { store, log, clock: systemClock, ids: randomIds, documents };
  const files = await openContentFiles(
    join(dataDirectory, 'packages'),
    maxPackageBytes ?? DEFAULT_MAX_PACKAGE_BYTES,
  );
  const secretsKey = loadSecretsKey(dataDirectory, randomBytes);
  if (secretsKey.type === 'unusable')
    log.error({ reason: secretsKey.reason }, 'credentials of VIMs cannot be used');
  const openNats = nats === undefined ? undefined : await prepareNats(nats, dataDirectory);
  const composition = compose({
    ...shared,
    ...(openNats === undefined ? {} : { natsCredential: openNats.credential }),
    files,
    secrets: createSecretBox(secretsKey),
    openDriver: createDriverOpener({ files, clock: systemClock, log: log.child({ room: 'vim-drivers' }) }),
    m2mSpId: m2mSpId ?? DEFAULT_M2M_SP_ID,
    ...(placement === undefined ? {} : { placement }),
    ...(scaling === undefined ? {} : { scaling }),
    ...(packageSignatures === undefined ? {} : { packageSignatures }),
    ...(hostAuthority === undefined ? {} : { hostAuthority }),
  });
  const adminTokenFile = await ensureAdminToken({ ...shared, random: randomBytes }, dataDirectory);
  const { authenticate, onAnswer, routes } = composition;
  const api = createApi({ ...shared, routes, authenticate, onAnswer });
  const binding = openNats?.bind(composition.mco, { ...shared, authenticate, onAnswer });
  // It answers 503 to /readyz until everything has started.
  const server = await serveApi(api, { ...listen, ...(tls === undefined ? {} : { tls }) });
  disconnectRevoked(store, (hostId) => server.disconnect(hostId));
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), binding?.stop()]);
    await composition.stop();
  };
  try {
    await composition.start();
    binding?.start();
  } catch (error) {
    await close();
    throw error;
  }
  log.info(
    { url: server.url, stateId: store.stateId, leaseNumber: store.leaseNumber },
    'orchestrator serves',
  );
  return { url: server.url, adminTokenFile, close, useCertificate: server.useCertificate };
}

async function loadSignaturePolicy(
  policy: OrchestratorOptions['packageSignatures'],
): Promise<ComposeOptions['packageSignatures']> {
  if (policy === undefined) return undefined;
  if (policy.required && policy.trustFiles.length === 0)
    throw new IotmanoError(
      'unprocessable',
      'packages have to be signed and nobody is trusted: no package would be accepted; name the certificates to trust',
    );
  const trustedCertificates = await loadTrustedCertificates(policy.trustFiles);
  return { required: policy.required, trustedCertificates };
}
