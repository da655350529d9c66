import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { statusOf } from './api-error.ts';
import type { SlotSet } from './cluster-view.ts';
import type { DriverContext } from './context.ts';
import { LABEL, NOTE, slotName } from './names.ts';
import type { Kind } from './objects.ts';
import { wholeGraceSeconds } from './pod-template.ts';
import { numberPorts } from './publish-ports.ts';
import { readSlot, readSupervision, type SlotRecord } from './records.ts';
import { claimsOf, portPolicyOf, secretOf, setOf, type SetManifest } from './slot-objects.ts';
import { bindingsHash, type NumberedPlan, type SlotPlan } from './slot-plan.ts';

/** Makes the objects of one slot as the plan says: Service first, for its numbers; then what the pod needs; then what runs the pod. Idempotent. */
export async function writeSlot(
  context: DriverContext,
  plan: SlotPlan,
): Promise<{ readonly obstacle?: string }> {
  const name = slotName(plan.workload.key, plan.slot);
  await demandNotForeign(context, plan.namespace, name);
  const { numbered, obstacle } = await numberPorts(context, plan);
  const policy = portPolicyOf(numbered);
  const [secret] = await Promise.all([
    context.client.apply('secret', secretOf(numbered)),
    ...claimsOf(plan).map((claim) => applyClaim(context, claim)),
    policy === undefined ? undefined : context.client.apply('networkPolicy', policy),
  ]);
  const secretTime = secret.metadata?.managedFields?.find(({ manager }) => manager === 'iotmano')?.time;
  await writeSet(context, numbered, secretTime, obstacle);
  return obstacle === undefined ? {} : { obstacle };
}

async function writeSet(
  context: DriverContext,
  plan: NumberedPlan,
  secretTime: string | undefined,
  obstacle: string | undefined,
): Promise<void> {
  const name = slotName(plan.workload.key, plan.slot);
  const existing = context.view.setsWith(plan.namespace, LABEL.slot, name);
  const record = slotRecord(plan, existing, secretTime, obstacle);
  const draft = setOf(plan, { replicas: 1, record });
  const mine = existing.find((set) => isSame(set, draft));
  const isGivenUp = mine !== undefined && hasVerdict(mine, plan);
  const wanted = isGivenUp || obstacle !== undefined ? setOf(plan, { replicas: 0, record }) : draft;
  for (const other of existing.filter((set) => !isSame(set, draft)))
    await deleteSet(context, other, plan.workload.spec.stop.graceSeconds);
  const set = await applySet(context, wanted);
  context.written.remember(set, contentOf(set));
}

/** What a set says that it is, as one comparable text. */
export function contentOf({ object: { metadata } }: SlotSet): string {
  const { annotations = {} } = metadata ?? {};
  return `${annotations[NOTE.copy]} ${annotations[NOTE.slot]}`;
}

async function applySet({ client, view }: DriverContext, wanted: SetManifest): Promise<SlotSet> {
  switch (wanted.kind) {
    case 'deployment': {
      const object = await client.apply(wanted.kind, wanted.manifest);
      view.deployments.learn(object);
      return { kind: wanted.kind, object };
    }
    case 'statefulSet': {
      const object = await client.apply(wanted.kind, wanted.manifest);
      view.statefulSets.learn(object);
      return { kind: wanted.kind, object };
    }
    default: {
      const object = await client.apply(wanted.kind, wanted.manifest);
      view.jobs.learn(object);
      return { kind: wanted.kind, object };
    }
  }
}

function slotRecord(
  plan: NumberedPlan,
  existing: readonly SlotSet[],
  secretTime: string | undefined,
  obstacle: string | undefined,
): SlotRecord {
  const { spec } = plan.workload;
  const hash = bindingsHash(plan.workload);
  const known = existing.map(({ object }) => readSlot(object, NOTE.slot)?.bindings).find((one) => one);
  const changedAt = known === undefined || known.hash === hash ? known?.changedAt : secretTime;
  return {
    restart: spec.restart,
    graceSeconds: spec.stop.graceSeconds,
    ...(spec.bindings?.onChange === 'reload'
      ? {
          bindings: {
            hash,
            ...(changedAt === undefined ? {} : { changedAt }),
          },
        }
      : {}),
    published: spec.ports
      .filter(({ name, expose }) => expose && !plan.onMachine.has(name))
      .map(({ name }) => name),
    ...(obstacle === undefined ? {} : { obstacle }),
  };
}

function isSame(set: SlotSet, wanted: SetManifest): boolean {
  return set.kind === wanted.kind && set.object.metadata?.name === wanted.manifest.metadata.name;
}

function hasVerdict({ object }: SlotSet, { workload, epoch }: SlotPlan): boolean {
  const known = readSupervision(object, NOTE.supervision);
  return known?.verdict !== undefined && known.epoch === epoch && known.specHash === workload.specHash;
}

/** Deletes a set and what runs of it. The pods are given their grace; they may be there for so long. */
export async function deleteSet(
  { client, view, written, scopeLabel }: DriverContext,
  set: SlotSet,
  graceSeconds: number,
): Promise<void> {
  const { name = '', namespace = '', labels = {} } = set.object.metadata ?? {};
  await client.delete(set.kind, namespace, name);
  written.forget(set);
  if (set.kind === 'deployment') view.deployments.forget(set.object);
  else if (set.kind === 'statefulSet') view.statefulSets.forget(set.object);
  else view.jobs.forget(set.object);
  const selector = `${LABEL.scope}=${scopeLabel},${LABEL.slot}=${labels[LABEL.slot] ?? ''}`;
  if (set.kind === 'deployment') await client.deleteAll('replicaSet', namespace, selector);
  await client.deleteAll('pod', namespace, selector, { graceSeconds: wholeGraceSeconds(graceSeconds) });
}

/** A claim that is there is as it is: Kubernetes changes its size upwards at best. */
async function applyClaim(
  { client, log }: DriverContext,
  claim: ReturnType<typeof claimsOf>[number],
): Promise<void> {
  try {
    await client.apply('claim', claim);
  } catch (error) {
    if (statusOf(error) !== 422 || !/immutable|forbidden/i.test(messageOf(error))) throw error;
    log.info({ claim: claim.metadata.name, err: error }, 'a claim keeps the size that it has');
  }
}

/** Nothing that has a name we want, but is not ours, is ever taken over. */
async function demandNotForeign(context: DriverContext, namespace: string, name: string): Promise<void> {
  const { view, client, scopeLabel } = context;
  if (view.setsWith(namespace, LABEL.slot, name).length > 0) return;
  const kinds: readonly Kind[] = ['deployment', 'statefulSet', 'service'];
  const found = await Promise.all(kinds.map((kind) => client.get(kind, namespace, name)));
  const index = found.findIndex(
    (object) => object !== undefined && object.metadata?.labels?.[LABEL.scope] !== scopeLabel,
  );
  if (index === -1) return;
  throw new IotmanoError(
    'driver-failed',
    `the ${kinds[index]} ${namespace}/${name} is there already and is not of this installation; delete it`,
    { namespace, name },
  );
}
