import type { V1Probe } from '@kubernetes/client-node';
import { unreachable } from '../../kernel/index.ts';
import type { Probe, ProbeAction } from '../../descriptors/index.ts';
import type { Wire } from './objects.ts';

type KubeProbe = Wire<V1Probe>;

/** Readiness: asked from the start, at the descriptor's pace. */
export function readinessProbe(probe: Probe, ports: Readonly<Record<string, number>>): KubeProbe {
  return { ...actionOf(probe.action, ports), ...paceOf(probe) };
}

/** Life: while it starts, being slow is no sign of death; the first look comes when a running one would have been given up. */
export function livenessProbe(probe: Probe, ports: Readonly<Record<string, number>>): KubeProbe {
  const initialDelaySeconds = Math.ceil(probe.everySeconds * probe.failAfter);
  return { ...actionOf(probe.action, ports), ...paceOf(probe), initialDelaySeconds };
}

/** The kubelet counts whole seconds. */
function paceOf({ everySeconds, timeoutSeconds, failAfter }: Probe): KubeProbe {
  return {
    periodSeconds: wholeSeconds(everySeconds),
    timeoutSeconds: wholeSeconds(timeoutSeconds),
    failureThreshold: failAfter,
  };
}

function wholeSeconds(seconds: number): number {
  return Math.max(1, Math.ceil(seconds));
}

function actionOf(action: ProbeAction, ports: Readonly<Record<string, number>>): KubeProbe {
  switch (action.type) {
    case 'http':
      return { httpGet: { path: action.path, port: ports[action.port] ?? 0, scheme: 'HTTP' } };
    case 'tcp':
      return { tcpSocket: { port: ports[action.port] ?? 0 } };
    case 'exec':
      return { exec: { command: action.command.map(literally) } };
    default:
      return unreachable(action);
  }
}

/** Kubernetes replaces `$(NAME)` in commands; functions get theirs word by word. */
export function literally(word: string): string {
  return word.replaceAll('$', '$$$$');
}
