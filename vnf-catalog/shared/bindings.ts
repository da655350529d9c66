import { IotmanoError, messageOf } from '../../kernel/index.ts';

/** Where something that a function requires is reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly instance: string;
}

export interface RequiredService {
  readonly capability: string;
  readonly protocol: string;
  readonly endpoints: readonly Endpoint[];
  readonly credential?: { readonly id: string; readonly seed: string };
}

export interface BrokerClient {
  readonly id: string;
  readonly capability: string;
  /** Ed25519, 32 bytes, base64url. */
  readonly publicKey: string;
  readonly access: Readonly<Record<string, unknown>>;
  readonly function: string;
}

/** The content of a function's bindings file: what may change while it runs. */
export interface FunctionBindings {
  readonly config: Readonly<Record<string, unknown>>;
  readonly requires: Readonly<Record<string, RequiredService>>;
  readonly clients: readonly BrokerClient[];
}

/**
 * Parses the text of a bindings file.
 * @throws IotmanoError `malformed-request` when it is not a bindings document
 */
export function parseBindings(text: string): FunctionBindings {
  const document = asRecord(parseJson(text), 'the bindings file');
  const requires: Record<string, RequiredService> = {};
  for (const [name, value] of Object.entries(asRecord(document['requires'] ?? {}, '/requires'))) {
    requires[name] = parseRequired(asRecord(value, `/requires/${name}`), `/requires/${name}`);
  }
  return {
    config: asRecord(document['config'] ?? {}, '/config'),
    requires,
    clients: asList(document['clients'] ?? [], '/clients').map((client, index) =>
      parseClient(asRecord(client, `/clients/${index}`), `/clients/${index}`),
    ),
  };
}

function parseRequired(value: Readonly<Record<string, unknown>>, place: string): RequiredService {
  const endpoints = asList(value['endpoints'] ?? [], `${place}/endpoints`).map((endpoint, index) => {
    const at = `${place}/endpoints/${index}`;
    const record = asRecord(endpoint, at);
    return {
      host: asString(record['host'], `${at}/host`),
      port: asPort(record['port'], `${at}/port`),
      instance: asString(record['instance'] ?? '', `${at}/instance`),
    };
  });
  const required = {
    capability: asString(value['capability'] ?? '', `${place}/capability`),
    protocol: asString(value['protocol'] ?? '', `${place}/protocol`),
    endpoints,
  };
  if (value['credential'] === undefined) return required;
  const credential = asRecord(value['credential'], `${place}/credential`);
  return {
    ...required,
    credential: {
      id: asString(credential['id'], `${place}/credential/id`),
      seed: asKey(credential['seed'], `${place}/credential/seed`),
    },
  };
}

function parseClient(value: Readonly<Record<string, unknown>>, place: string): BrokerClient {
  return {
    id: asString(value['id'], `${place}/id`),
    capability: asString(value['capability'] ?? '', `${place}/capability`),
    publicKey: asKey(value['publicKey'], `${place}/publicKey`),
    access: asRecord(value['access'] ?? {}, `${place}/access`),
    function: asString(value['function'] ?? '', `${place}/function`),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new IotmanoError('malformed-request', `the bindings file is not JSON: ${messageOf(error)}`);
  }
}

function fault(place: string, wanted: string): IotmanoError {
  return new IotmanoError('malformed-request', `bindings file: ${place} must be ${wanted}`);
}

function asRecord(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault(place, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

function asList(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw fault(place, 'a list');
  return value;
}

function asString(value: unknown, place: string): string {
  if (typeof value !== 'string') throw fault(place, 'a text');
  return value;
}

function asPort(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65_535) {
    throw fault(place, 'a port number');
  }
  return value;
}

function asKey(value: unknown, place: string): string {
  if (typeof value !== 'string' || Buffer.from(value, 'base64url').length !== 32) {
    throw fault(place, '32 bytes in base64url');
  }
  return value;
}

const NOT_BOUND: RequiredService = { capability: '', protocol: '', endpoints: [] };

/** The binding of a requirement by its name; one without endpoints while it is not bound. */
export function requiredService(bindings: FunctionBindings, name: string): RequiredService {
  return bindings.requires[name] ?? NOT_BOUND;
}
