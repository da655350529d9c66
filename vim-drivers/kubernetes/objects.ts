import type {
  CoreV1Event,
  V1ConfigMap,
  V1Deployment,
  V1Job,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ReplicaSet,
  V1ResourceQuota,
  V1Secret,
  V1Service,
  V1StatefulSet,
} from '@kubernetes/client-node';

/** A type of the SDK as it is in JSON, where times are texts and no name avoids words of the language. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Name in keyof T as Name extends `_${infer Plain}` ? Plain : Name]: Wire<T[Name]> }
      : T;

interface KindTypes {
  namespace: V1Namespace;
  node: V1Node;
  pod: V1Pod;
  service: V1Service;
  secret: V1Secret;
  configMap: V1ConfigMap;
  claim: V1PersistentVolumeClaim;
  quota: V1ResourceQuota;
  event: CoreV1Event;
  deployment: V1Deployment;
  replicaSet: V1ReplicaSet;
  statefulSet: V1StatefulSet;
  job: V1Job;
  networkPolicy: V1NetworkPolicy;
}

export type Kind = keyof KindTypes;
export type KubeObject<K extends Kind> = Wire<KindTypes[K]>;

export const KINDS: Readonly<
  Record<Kind, { readonly apiVersion: string; readonly kind: string; readonly plural: string }>
> = {
  namespace: { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' },
  node: { apiVersion: 'v1', kind: 'Node', plural: 'nodes' },
  pod: { apiVersion: 'v1', kind: 'Pod', plural: 'pods' },
  service: { apiVersion: 'v1', kind: 'Service', plural: 'services' },
  secret: { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' },
  configMap: { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' },
  claim: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims' },
  quota: { apiVersion: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas' },
  event: { apiVersion: 'v1', kind: 'Event', plural: 'events' },
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
  replicaSet: { apiVersion: 'apps/v1', kind: 'ReplicaSet', plural: 'replicasets' },
  statefulSet: { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets' },
  job: { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs' },
  networkPolicy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', plural: 'networkpolicies' },
};

/** Path of a kind of object, in one namespace or in all, or of one object. */
export function pathOf(kind: Kind, namespace?: string, name?: string): string {
  const { apiVersion, plural } = KINDS[kind];
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${base}${place}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
