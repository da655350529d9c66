import type { UnitPort } from '../../descriptors/index.ts';
import { claimName, LABEL, NOTE, shortHash, slotName } from './names.ts';
import type { Manifest } from './object-client.ts';
import { portName } from './plan-ports.ts';
import { copyRecord, environmentKey, fileKey, podTemplate, slotLabels } from './pod-template.ts';
import type { SlotRecord } from './records.ts';
import {
  bindingsHash,
  bindingsText,
  hostFacts,
  resolveWord,
  type NumberedPlan,
  type SlotPlan,
} from './slot-plan.ts';
import { resolveOnHost } from '../supervision/index.ts';

export type SetManifest =
  | { readonly kind: 'deployment'; readonly manifest: Manifest<'deployment'> }
  | { readonly kind: 'statefulSet'; readonly manifest: Manifest<'statefulSet'> }
  | { readonly kind: 'job'; readonly manifest: Manifest<'job'> };

function metadataOf(plan: SlotPlan, name = slotName(plan.workload.key, plan.slot)) {
  return { name, namespace: plan.namespace, labels: slotLabels(plan) };
}

/** One Service stands for one instance: whether it is asked before it is ready is for those to say who ask. */
/** @param known numbers that the ports have had already, and keep if they can */
export function serviceOf(
  plan: SlotPlan,
  published: readonly UnitPort[],
  known: Readonly<Record<string, number>> = {},
): Manifest<'service'> {
  const { ports } = plan.workload.spec;
  return {
    metadata: metadataOf(plan),
    spec: {
      type: 'NodePort',
      selector: selectorOf(plan),
      publishNotReadyAddresses: true,
      ports: published.map((port) => {
        const index = ports.indexOf(port);
        const number = port.number ?? known[port.name];
        return {
          name: portName(index),
          port: 8000 + index,
          protocol: port.protocol.toUpperCase(),
          targetPort: portName(index),
          ...(number === undefined ? {} : { nodePort: number }),
        };
      }),
    },
  };
}

/** Lets everybody reach what the function exposes, and its metrics: the API server asks for these from an address that nobody here knows. */
export function portPolicyOf(plan: NumberedPlan): Manifest<'networkPolicy'> | undefined {
  const { ports, metrics } = plan.workload.spec;
  const open = ports.filter(({ name, expose }) => expose || name === metrics?.port);
  if (open.length === 0) return undefined;
  return {
    metadata: metadataOf(plan),
    spec: {
      podSelector: { matchLabels: selectorOf(plan) },
      policyTypes: ['Ingress'],
      ingress: [
        {
          ports: open.map(({ name, protocol }) => ({
            port: plan.ports[name] ?? 0,
            protocol: protocol.toUpperCase(),
          })),
        },
      ],
    },
  };
}

/** Everything of the slot that may be secret: environment, files, bindings. */
export function secretOf(plan: NumberedPlan): Manifest<'secret'> {
  const { spec } = plan.workload;
  const facts = hostFacts(plan);
  const entries = [
    ...Object.entries(spec.env).map(([name, value], index) => [
      environmentKey(index),
      resolveWord(value, facts, `the environment variable ${name}`),
    ]),
    ...spec.files.map(({ path, content }, index) => [
      fileKey(index),
      resolveOnHost(content, facts, `the file ${path}`),
    ]),
    ...(spec.bindings === undefined
      ? []
      : [
          ['bindings', bindingsText(plan.workload)],
          ['bindings-hash', `${bindingsHash(plan.workload)}\n`],
        ]),
  ] as const;
  const data = Object.fromEntries(
    entries.map(([key = '', text = '']) => [key, Buffer.from(text).toString('base64')]),
  ) as Record<string, string>;
  return { metadata: metadataOf(plan), type: 'Opaque', data };
}

/** Claims of the kept volumes; they belong to the function, not to a generation. */
export function claimsOf(plan: SlotPlan): readonly Manifest<'claim'>[] {
  const { key, spec } = plan.workload;
  const labels = Object.entries(slotLabels(plan)).filter(
    ([name]) => name !== LABEL.workload && name !== LABEL.slot && name !== 'app.kubernetes.io/version',
  );
  return spec.volumes
    .filter(({ keep }) => keep)
    .map((volume) => ({
      metadata: {
        name: claimName(key, plan.slot, volume.name),
        namespace: plan.namespace,
        labels: Object.fromEntries(labels),
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: String(volume.sizeBytes) } },
      },
    }));
}

export interface SetOptions {
  readonly replicas: 0 | 1;
  readonly record: SlotRecord;
}

/** What runs the copy of the slot. */
export function setOf(plan: NumberedPlan, { replicas, record }: SetOptions): SetManifest {
  const { spec, labels } = plan.workload;
  const template = podTemplate(plan);
  const annotations = {
    [NOTE.copy]: JSON.stringify(copyRecord(plan)),
    [NOTE.slot]: JSON.stringify(record),
    [NOTE.labels]: JSON.stringify(labels),
  };
  const metadata = { ...metadataOf(plan), annotations };
  const selector = { matchLabels: selectorOf(plan) };
  if (spec.run.mode === 'job') {
    const name = `${metadata.name}-${shortHash(6, annotations[NOTE.copy] ?? '')}`;
    const jobSpec = { backoffLimit: spec.restart.times, parallelism: replicas, template };
    return { kind: 'job', manifest: { metadata: { ...metadata, name }, spec: jobSpec } };
  }
  if (!spec.volumes.some(({ keep }) => keep)) {
    const strategy = { type: 'Recreate' };
    const deployment = { replicas, selector, strategy, revisionHistoryLimit: 0, template };
    return { kind: 'deployment', manifest: { metadata, spec: deployment } };
  }
  const statefulSet = {
    replicas,
    selector,
    serviceName: metadata.name,
    podManagementPolicy: 'Parallel',
    // The driver itself deletes the pod that is to be replaced: the set's own way waits for ever for one that never gets ready.
    updateStrategy: { type: 'OnDelete' },
    revisionHistoryLimit: 1,
    template,
  };
  return { kind: 'statefulSet', manifest: { metadata, spec: statefulSet } };
}

function selectorOf({ workload: { key }, slot, scopeLabel }: SlotPlan): Record<string, string> {
  return { [LABEL.scope]: scopeLabel, [LABEL.slot]: slotName(key, slot) };
}
