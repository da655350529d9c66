import type { Registry } from 'prom-client';
import { Counter, Histogram } from 'prom-client';
import { DEFAULT_TENANT, IotmanoError, SYSTEM_TENANT } from '../../kernel/index.ts';
import { isInstallationTenant } from '../domain/index.ts';
import type { Answered } from './api-options.ts';
import type { ApiDocuments } from './openapi/index.ts';
import { READERS, type Route } from './route-types.ts';
import { apiVersionInformation, unversioned } from './sol013/index.ts';

/** `/healthz`: the process lives; `/readyz`: it serves. The only routes without authentication that do nothing. */
export function healthRoutes(isReady: () => boolean): readonly Route[] {
  const ok = { status: 200, body: { status: 'ok' } };
  return [
    { method: 'GET', path: '/healthz', access: 'public', body: 'none', handle: async () => ok },
    {
      method: 'GET',
      path: '/readyz',
      access: 'public',
      body: 'none',
      handle: async () => {
        if (isReady()) return ok;
        throw new IotmanoError(
          'unavailable',
          'the orchestrator does not serve yet, or no longer; try again shortly',
        );
      },
    },
  ];
}

/** `/metrics` in the Prometheus text format. They are of all tenants: only the tenant of the installation reads them. */
export function metricsRoutes(registry: Registry): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      access: READERS,
      body: 'none',
      handle: async ({ caller }) => {
        if (!isInstallationTenant(caller.tenant))
          throw new IotmanoError(
            'forbidden',
            `metrics are of all tenants; use a token of the tenant ${DEFAULT_TENANT} or ${SYSTEM_TENANT}`,
          );
        const text = await registry.metrics();
        return { status: 200, headers: { 'Content-Type': registry.contentType }, text };
      },
    },
  ];
}

/** Counts and times answers; give it to `createApi` as `onAnswer`. */
export function createApiMetrics(registry: Registry): (answer: Answered) => void {
  const answers = new Counter({
    name: 'iotmano_http_requests_total',
    help: 'Requests answered, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'iotmano_http_request_seconds',
    help: 'Time from the headers of a request to the end of the answer, by route. Long polls and streams included.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  });
  return ({ method, route, status, milliseconds }) => {
    answers.inc({ route, method, status });
    seconds.observe({ route }, milliseconds / 1000);
  };
}

/** `GET …/api_versions` of each ETSI API, with and without the major version (SOL013 clause 9.3.3). */
export function apiVersionRoutes(documents: ApiDocuments): readonly Route[] {
  return documents.versionedApis.flatMap((api) =>
    [unversioned(api.uriPrefix), `${api.uriPrefix}/api_versions`].map((path): Route => ({
      method: 'GET',
      path,
      access: READERS,
      body: 'none',
      handle: async () => ({ status: 200, body: apiVersionInformation(api) }),
    })),
  );
}
