import { describe, expect, it } from 'vitest';
import { resolveOnHost, type HostFacts } from './host-templates.ts';

const FACTS: HostFacts = {
  ports: { http: 20_080 },
  volumes: { db: '/state/volumes/db' },
  bindingsPath: '/state/bindings.json',
  instanceId: 'v-main-g1-0',
  instanceDirectory: '/state/instance',
  hostId: 'gw-1',
  hostAddress: '192.0.2.7',
  listenAddress: '0.0.0.0',
  localAddress: '127.0.0.1',
};

describe('templates that the host resolves', () => {
  it('stand for ports, volumes, bindings, the instance and the host', () => {
    const text =
      '{{ ports.http }} {{volumes.db}} {{ bindings.path }} {{ instance.id }} {{ instance.dir }} {{ instance.listenAddress }} {{ instance.localAddress }} {{ host.id }} {{ host.address }}';
    expect(resolveOnHost(text, FACTS, 'env')).toBe(
      '20080 /state/volumes/db /state/bindings.json v-main-g1-0 /state/instance 0.0.0.0 127.0.0.1 gw-1 192.0.2.7',
    );
  });

  it.each(['{{ ports.grpc }}', '{{ config.level }}', '{{ ports.constructor }}', '{{ toString }}'])(
    'are refused where nothing is known: %s',
    (text) => {
      expect(() => resolveOnHost(text, FACTS, 'the environment variable X')).toThrow(
        /environment variable X.*a host knows/,
      );
    },
  );
});
