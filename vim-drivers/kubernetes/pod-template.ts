import type {
  V1Container,
  V1Lifecycle,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Volume,
  V1VolumeMount,
} from '@kubernetes/client-node';
import { join } from 'node:path/posix';
import { claimName, LABEL, labelValue, NOTE, slotName, workloadName } from './names.ts';
import type { Wire } from './objects.ts';
import { portName } from './plan-ports.ts';
import { literally, livenessProbe, readinessProbe } from './probes.ts';
import type { CopyRecord } from './records.ts';
import {
  bindingsHash,
  BINDINGS_DIRECTORY,
  BINDINGS_HASH_FILE,
  containerArtifact,
  hostFacts,
  insidePath,
  INSTANCE_DIRECTORY,
  resolveWord,
  type NumberedPlan,
  type SlotPlan,
} from './slot-plan.ts';

export const CONTAINER = 'main';
/** User of functions that must not be root: which one an image names cannot be known before it is there. */
const USER_ID = 1000;
const SCRATCH_BYTES = 256 * 1024 ** 2;
/** The kubelet counts what a directory itself takes, and ends the pod that has more. */
const LEAST_VOLUME_BYTES = 1024 ** 2;

/** Labels of all objects of a slot, for people, for selectors, and for the driver. */
export function slotLabels({ workload: { key }, slot, scopeLabel }: SlotPlan): Record<string, string> {
  return {
    'app.kubernetes.io/name': labelValue(key.unit),
    'app.kubernetes.io/instance': labelValue(key.vnfInstanceId),
    'app.kubernetes.io/version': String(key.generation),
    'app.kubernetes.io/managed-by': 'iotmano',
    [LABEL.scope]: scopeLabel,
    [LABEL.tenant]: labelValue(key.tenant),
    [LABEL.function]: labelValue(key.vnfInstanceId),
    [LABEL.unit]: labelValue(key.unit),
    [LABEL.workload]: workloadName(key),
    [LABEL.slot]: slotName(key, slot),
  };
}

/** What the copy is made from; a pod with another record is another copy. */
export function copyRecord({ workload, slot, epoch, ports }: NumberedPlan): CopyRecord {
  const { key, spec, specHash } = workload;
  const { image, command } = containerArtifact(workload);
  return {
    key,
    slot,
    epoch,
    specHash,
    ports,
    image,
    ...(command?.[0] === undefined ? {} : { program: command[0] }),
    memoryBytes: spec.resources.memoryBytes,
    ...(spec.bindings?.onChange === 'restart' ? { bindings: bindingsHash(workload) } : {}),
  };
}

export function podTemplate(plan: NumberedPlan): Wire<V1PodTemplateSpec> {
  const { spec } = plan.workload;
  return {
    metadata: {
      labels: slotLabels(plan),
      annotations: { [NOTE.copy]: JSON.stringify(copyRecord(plan)) },
    },
    spec: {
      restartPolicy: spec.run.mode === 'job' ? 'Never' : 'Always',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: wholeGraceSeconds(spec.stop.graceSeconds),
      ...(spec.security.nonRoot ? { securityContext: nonRoot() } : {}),
      containers: [containerOf(plan)],
      volumes: volumesOf(plan),
    },
  };
}

/** Zero would not wait until the machine has stopped it. */
export function wholeGraceSeconds(graceSeconds: number): number {
  return Math.max(1, Math.ceil(graceSeconds));
}

function nonRoot(): NonNullable<Wire<V1PodSpec>['securityContext']> {
  return { runAsNonRoot: true, runAsUser: USER_ID, runAsGroup: USER_ID, fsGroup: USER_ID };
}

function containerOf(plan: NumberedPlan): Wire<V1Container> {
  const { spec } = plan.workload;
  const { image, command } = containerArtifact(plan.workload);
  const facts = hostFacts(plan);
  const { ready, alive } = spec.run.mode === 'job' ? {} : spec.probes;
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: 'IfNotPresent',
    ...(command === undefined
      ? {}
      : { command: command.map((word) => literally(resolveWord(word, facts, 'the command'))) }),
    env: environmentOf(plan),
    ports: portsOf(plan),
    resources: resourcesOf(plan),
    volumeMounts: mountsOf(plan),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: spec.security.readOnlyRoot,
      capabilities: { drop: ['ALL'], add: [...spec.security.capabilities] },
    },
    ...(ready === undefined ? {} : { readinessProbe: readinessProbe(ready, plan.ports) }),
    ...(alive === undefined ? {} : { livenessProbe: livenessProbe(alive, plan.ports) }),
    ...lifecycleOf(plan),
  };
}

/** Values come from the Secret of the slot: they may be secrets, and those who may see pods need not see them. */
function environmentOf({ workload, slot }: NumberedPlan): NonNullable<Wire<V1Container>['env']> {
  const name = slotName(workload.key, slot);
  const own = Object.keys(workload.spec.env).map((variable, index) => ({
    name: variable,
    valueFrom: { secretKeyRef: { name, key: environmentKey(index) } },
  }));
  const hasHome = Object.hasOwn(workload.spec.env, 'HOME');
  return [...(hasHome ? [] : [{ name: 'HOME', value: INSTANCE_DIRECTORY }]), ...own];
}

/** Key in the Secret of the variable with that place in the spec; names of variables are freer than keys. */
export function environmentKey(index: number): string {
  return `env-${index}`;
}

export function fileKey(index: number): string {
  return `file-${index}`;
}

function portsOf({
  workload: { spec },
  ports,
  onMachine,
}: NumberedPlan): NonNullable<Wire<V1Container>['ports']> {
  return spec.ports.map(({ name, protocol }, index) => ({
    name: portName(index),
    containerPort: ports[name] ?? 0,
    protocol: protocol.toUpperCase(),
    ...(onMachine.has(name) ? { hostPort: ports[name] ?? 0 } : {}),
  }));
}

/**
 * Placement has counted the whole of the CPU already; the cluster is asked for a tenth, so that it only spreads instances and a machine
 * is not full before it is busy. Memory cannot be shared: all of it is asked for.
 */
function resourcesOf({ workload: { spec } }: NumberedPlan): NonNullable<Wire<V1Container>['resources']> {
  const memory = String(spec.resources.memoryBytes);
  const cpu = spec.resources.cpuMillis;
  return {
    requests: { memory, cpu: `${Math.max(1, Math.ceil(cpu / 10))}m` },
    limits: { memory, cpu: `${cpu}m` },
  };
}

function mountsOf({ workload: { spec } }: NumberedPlan): Wire<V1VolumeMount>[] {
  const isTaken = (path: string): boolean => spec.volumes.some(({ mount }) => mount === path);
  return [
    { name: 'instance', mountPath: INSTANCE_DIRECTORY },
    ...spec.files.map(({ path }, index) => ({
      name: 'files',
      mountPath: join(INSTANCE_DIRECTORY, insidePath(path)),
      subPath: fileKey(index),
      readOnly: true,
    })),
    ...(spec.bindings === undefined
      ? []
      : [{ name: 'bindings', mountPath: BINDINGS_DIRECTORY, readOnly: true }]),
    ...(spec.security.readOnlyRoot && !isTaken('/tmp') ? [{ name: 'tmp', mountPath: '/tmp' }] : []),
    ...spec.volumes.map(({ mount }, index) => ({ name: `volume-${index}`, mountPath: mount })),
  ];
}

function volumesOf({ workload: { key, spec }, slot }: NumberedPlan): Wire<V1Volume>[] {
  const secretName = slotName(key, slot);
  const scratch = { emptyDir: { sizeLimit: String(SCRATCH_BYTES) } };
  const bindings = spec.bindings && [
    { key: 'bindings', path: insidePath(spec.bindings.path) },
    { key: 'bindings-hash', path: BINDINGS_HASH_FILE },
  ];
  return [
    { name: 'instance', ...scratch },
    ...(spec.files.length === 0 ? [] : [{ name: 'files', secret: { secretName } }]),
    ...(bindings === undefined ? [] : [{ name: 'bindings', secret: { secretName, items: bindings } }]),
    ...(spec.security.readOnlyRoot ? [{ name: 'tmp', ...scratch }] : []),
    ...spec.volumes.map((volume, index) => ({
      name: `volume-${index}`,
      ...(volume.keep
        ? { persistentVolumeClaim: { claimName: claimName(key, slot, volume.name) } }
        : { emptyDir: { sizeLimit: String(Math.max(volume.sizeBytes, LEAST_VOLUME_BYTES)) } }),
    })),
  ];
}

/** The kubelet sends what the image names, most often SIGTERM. Another signal is sent before, and the end is waited for. */
function lifecycleOf({ workload: { spec } }: NumberedPlan): { lifecycle?: Wire<V1Lifecycle> } {
  if (spec.stop.signal === 'SIGTERM') return {};
  const signal = spec.stop.signal.slice('SIG'.length);
  const command = ['sh', '-c', `kill -s ${signal} 1; while kill -0 1 2>/dev/null; do sleep 0.1; done`];
  return { lifecycle: { preStop: { exec: { command } } } };
}
