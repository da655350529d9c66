import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { functionIdOf, listInstances, type NsInstance } from './services.ts';

interface VnfInstanceRow {
  readonly id: string;
  readonly vnfInstanceName?: string;
}

interface VnfPackageRow {
  readonly id: string;
  readonly vnfdId?: string;
  readonly vnfProductName?: string;
}

/**
 * What of an explanation is asked for: a service instance, a function instance or a package of that name or id; with `name`, one function of the service.
 * @throws CliFailure where nothing is called so, or several are
 */
export async function explainChoice(
  client: Client,
  wanted: string,
  name: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const services = (await listInstances(client)).filter(
    ({ id, nsInstanceName }) => id === wanted || nsInstanceName === wanted,
  );
  const service = onlyOf(services, wanted);
  if (service !== undefined) {
    if (name === undefined) return { nsInstanceId: service.id };
    const { body } = await client.get<NsInstance>(`/nslcm/v2/ns_instances/${service.id}`);
    return { vnfInstanceId: functionIdOf(body, name) };
  }
  if (name !== undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no service instance is called "${wanted}"; see "iotmano service list"`,
    );
  const functions = await client.list<VnfInstanceRow>('/vnflcm/v2/vnf_instances');
  const found = functions.filter(({ id, vnfInstanceName }) => id === wanted || vnfInstanceName === wanted);
  const instance = onlyOf(found, wanted);
  if (instance !== undefined) return { vnfInstanceId: instance.id };
  const packages = await client.list<VnfPackageRow>('/vnfpkgm/v2/vnf_packages');
  const pkg = packages.findLast(({ id, vnfdId, vnfProductName }) =>
    [id, vnfdId, vnfProductName].includes(wanted),
  );
  if (pkg !== undefined) return { vnfPkgId: pkg.id };
  throw new CliFailure(
    EXIT.notFound,
    `no service instance, function instance or onboarded function is called "${wanted}"; see "iotmano service list" and "iotmano package list"`,
  );
}

function onlyOf<T extends { readonly id: string }>(found: readonly T[], wanted: string): T | undefined {
  if (found.length > 1)
    throw new CliFailure(
      EXIT.conflict,
      `${found.length} are called "${wanted}"; use the id: ${found.map(({ id }) => id).join(', ')}`,
    );
  return found[0];
}
