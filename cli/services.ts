import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { isNewer } from './is-newer.ts';
import {
  followOperation,
  idempotencyKey,
  isOver,
  waitSettled,
  type OperationOccurrence,
  type VnfcRow,
} from './operation.ts';
import { say } from './output.ts';
import type { ServicePlan } from './placement-text.ts';
import type { ScheduleRow } from './schedule-text.ts';

const NS = '/nslcm/v2/ns_instances';
const OP_OCCS = '/nslcm/v2/ns_lcm_op_occs';
const NSD = '/nsd/v2/ns_descriptors';

/** SOL005 NsInstance, as far as the commands look at it. */
export interface NsInstance {
  readonly id: string;
  readonly nsInstanceName: string;
  readonly nsState: string;
  readonly nsdId: string;
  readonly nsScaleStatus?: readonly { readonly nsScalingAspectId: string; readonly nsScaleLevelId: string }[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly vnfInstance?: readonly {
    readonly id: string;
    readonly vnfProductName?: string;
    readonly vnfConfigurableProperties?: Readonly<Record<string, unknown>>;
    readonly extensions?: { readonly constituent?: string };
  }[];
}

interface NsdInfo {
  readonly id: string;
  readonly nsdId: string;
  readonly nsdName: string;
  readonly nsdVersion: string;
  readonly nsdInvariantId: string;
  readonly nsdOnboardingState: string;
}

export interface VnfcInstanceRow extends VnfcRow {
  readonly service?: string;
  readonly function: string;
  /** `name=address:port` of each port. */
  readonly endpoints?: readonly string[];
  readonly schedule?: ScheduleRow;
}

export function listInstances(client: Client): Promise<NsInstance[]> {
  return client.list<NsInstance>(NS);
}

/** The service instance of that name or id, whole. @throws CliFailure where there is none, or several */
export async function findInstance(client: Client, name: string): Promise<NsInstance> {
  const found = (await listInstances(client)).filter(
    (item) => item.nsInstanceName === name || item.id === name,
  );
  const [only] = found;
  if (only === undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no service instance is called "${name}"; see "iotmano service list"`,
    );
  if (found.length > 1)
    throw new CliFailure(
      EXIT.conflict,
      `${found.length} service instances are called "${name}"; use the id: ${found.map(({ id }) => id).join(', ')}`,
    );
  return (await client.get<NsInstance>(`${NS}/${only.id}`)).body;
}

/** Id of the VNF instance of one function of a service. @throws CliFailure naming those that there are */
export function functionIdOf(instance: NsInstance, name: string): string {
  const functions = (instance.vnfInstance ?? []).map(({ id, extensions }) => ({
    id,
    name: extensions?.constituent,
  }));
  const found = functions.find((item) => item.name === name);
  if (found !== undefined) return found.id;
  throw new CliFailure(
    EXIT.notFound,
    `${instance.nsInstanceName} has no function "${name}"; it has ${functions.map((item) => item.name).join(', ') || 'none'}`,
  );
}

/** Creates an instance of the newest version of an onboarded service. @throws CliFailure where none is called so */
export async function createInstance(
  client: Client,
  service: string,
  name: string | undefined,
): Promise<NsInstance> {
  const { nsdId, nsdName } = await newestDescriptor(client, service);
  const nsName = name ?? nsdName;
  if ((await listInstances(client)).some((other) => other.nsInstanceName === nsName))
    throw new CliFailure(
      EXIT.conflict,
      `a service instance is called "${nsName}" already; give this one another name with --name, or remove that one: "iotmano service rm ${nsName}"`,
    );
  const request = { nsdId, nsName, nsDescription: '' };
  return (await client.post<NsInstance>(NS, request, idempotencyKey())).body;
}

async function newestDescriptor(client: Client, service: string): Promise<NsdInfo> {
  const newest = (await client.list<NsdInfo>(NSD))
    .filter(
      (item) =>
        item.nsdOnboardingState === 'ONBOARDED' &&
        [item.id, item.nsdId, item.nsdName, item.nsdInvariantId].includes(service),
    )
    .reduce<NsdInfo | undefined>(
      (best, item) => (best === undefined || isNewer(item.nsdVersion, best.nsdVersion) ? item : best),
      undefined,
    );
  if (newest !== undefined) return newest;
  throw new CliFailure(
    EXIT.notFound,
    `no onboarded service is called "${service}"; see "iotmano package list"`,
  );
}

/** Where the functions would be. The instance that the question needs is gone afterwards. */
export async function planService(client: Client, service: string, parameters: object): Promise<ServicePlan> {
  const { nsdId, nsdName } = await newestDescriptor(client, service);
  const request = { nsdId, nsName: `plan of ${nsdName}`.slice(0, 100), nsDescription: '' };
  const { id } = (await client.post<NsInstance>(NS, request, idempotencyKey())).body;
  try {
    const path = `${NS}/${id}/instantiate?dryRun=true`;
    return (await client.post<ServicePlan>(path, instantiateRequest(parameters))).body;
  } finally {
    await client.delete(`${NS}/${id}`);
  }
}

export interface ScaleOptions {
  readonly aspect?: string;
  readonly out?: number;
  readonly in?: number;
  readonly to?: number;
}

/** SOL005 ScaleNsRequest. @throws CliFailure naming the aspects where none or the wrong one is named */
export function scaleRequest(
  { nsInstanceName, nsScaleStatus = [] }: NsInstance,
  { aspect: wanted, out, in: inwards, to }: ScaleOptions,
): object {
  const names = nsScaleStatus.map(({ nsScalingAspectId }) => nsScalingAspectId);
  const aspectId = wanted ?? (names.length === 1 ? names[0] : undefined);
  if (aspectId === undefined || !names.includes(aspectId))
    throw new CliFailure(
      aspectId === undefined && names.length > 1 ? EXIT.usage : EXIT.notFound,
      `${nsInstanceName} has ${names.length === 0 ? 'no scaling aspect, or is not instantiated' : `the scaling aspects ${names.join(', ')}; name one with --aspect`}`,
    );
  const scaleNsData =
    to === undefined
      ? {
          scaleNsByStepsData: {
            scalingDirection: out === undefined ? 'SCALE_IN' : 'SCALE_OUT',
            aspectId,
            numberOfSteps: out ?? inwards,
          },
        }
      : {
          scaleNsToLevelData: {
            nsScaleInfo: [{ nsScalingAspectId: aspectId, nsScaleLevelId: String(to) }],
          },
        };
  return { scaleType: 'SCALE_NS', scaleNsData };
}

/** Where the instances would be; changes nothing. */
export async function planScale(client: Client, { id }: NsInstance, request: object): Promise<ServicePlan> {
  return (await client.post<ServicePlan>(`${NS}/${id}/scale?dryRun=true`, request)).body;
}

/** Instantiates and follows; an instance that could not even be started is removed again. */
export async function deployService(
  client: Client,
  instance: NsInstance,
  parameters: object,
  timeoutSeconds: number,
): Promise<void> {
  try {
    await operate(client, instance, 'instantiate', instantiateRequest(parameters), timeoutSeconds);
  } catch (error) {
    const { id, nsInstanceName } = instance;
    await client
      .delete(`${NS}/${id}`)
      .catch(() => say(`${nsInstanceName} is left as it is: see "iotmano service show ${nsInstanceName}"`));
    throw error;
  }
}

const instantiateRequest = (parameters: object): object => ({
  nsFlavourId: 'default',
  additionalParamsForNs: parameters,
});

/** Starts an operation and follows it to its end. */
export async function operate(
  client: Client,
  instance: NsInstance,
  operation: 'instantiate' | 'terminate' | 'heal' | 'update' | 'scale',
  request: object,
  timeoutSeconds: number,
): Promise<void> {
  const begin = async (): Promise<string> => {
    const { headers } = await client.post(`${NS}/${instance.id}/${operation}`, request, idempotencyKey());
    const location = headers.get('location');
    if (location === null)
      throw new CliFailure(EXIT.failed, `the orchestrator gave no operation to follow for ${operation}`);
    return location;
  };
  await followOperation(client, begin, timeoutSeconds, () => instancesOf(client, instance));
}

/** Ends the operation that is under way or has failed, terminates what is instantiated, and deletes. */
export async function removeInstance(
  client: Client,
  { id }: NsInstance,
  timeoutSeconds: number,
): Promise<void> {
  await endOperation(client, id, timeoutSeconds);
  const { body: instance } = await client.get<NsInstance>(`${NS}/${id}`);
  if (instance.nsState === 'INSTANTIATED') await operate(client, instance, 'terminate', {}, timeoutSeconds);
  await client.delete(`${NS}/${id}`);
}

/** Cancels an operation that is under way, and declares one failed that waits for a decision: the service can then be terminated. */
async function endOperation(client: Client, nsInstanceId: string, timeoutSeconds: number): Promise<void> {
  const operations = await client.list<OperationOccurrence & { readonly nsInstanceId: string }>(OP_OCCS);
  const open = operations.find(
    (operation) => operation.nsInstanceId === nsInstanceId && !isOver(operation.operationState),
  );
  if (open === undefined) return;
  const path = `${OP_OCCS}/${open.id}`;
  if (open.operationState !== 'FAILED_TEMP') {
    say(`cancelling ${open.lcmOperationType}, which is under way`);
    await client.post(`${path}/cancel`, { cancelMode: 'FORCEFUL' });
  }
  const { operationState } = await waitSettled(client, path, timeoutSeconds);
  if (operationState === 'FAILED_TEMP') await client.post(`${path}/fail`);
}

/** The running copies of a service. */
export async function instancesOf(
  client: Client,
  { nsInstanceName }: NsInstance,
): Promise<VnfcInstanceRow[]> {
  return (await client.list<VnfcInstanceRow>('/iotmano/v1/vnfc_instances')).filter(
    ({ service }) => service === nsInstanceName,
  );
}
