import { IOTMANO_NAMESPACE, uuidV5, parseBitsPerSecond, parseSeconds } from '../kernel/index.ts';
import { buildWaves, defaultsOf, parametersSchema } from './build-function.ts';
import type { Cursor } from './document/cursor.ts';
import { parseDailyWindow, parseShare } from './document/quantities.ts';
import type { IoTServiceDescriptor } from './types.ts';

type Metadata = IoTServiceDescriptor['metadata'];

/** The typed value of a document without faults, defaults applied by the schema. */
export function buildService(doc: Cursor): IoTServiceDescriptor {
  return {
    kind: 'IoTServiceDescriptor',
    metadata: buildMetadata(doc.at('metadata')),
    parameters: {
      schema: parametersSchema(doc.at('parameters').as<Record<string, unknown>>()),
      defaults: defaultsOf(doc.at('parameters')),
    },
    functions: doc.at('functions').as<IoTServiceDescriptor['functions']>(),
    aspects: doc.at('aspects').as<IoTServiceDescriptor['aspects']>(),
    placement: doc.each('placement').map(buildPlacementRule),
    ...(doc.at('upgrade').exists ? { upgrade: buildUpgrade(doc.at('upgrade')) } : {}),
  };
}

function buildUpgrade(at: Cursor): NonNullable<IoTServiceDescriptor['upgrade']> {
  const waves = buildWaves(at);
  const bakeSeconds = parseSeconds(at.at('bake').value);
  const stopAt = parseShare(at.at('stopAt').value);
  const window = parseDailyWindow(at.at('window').value);
  const bitsPerSecond = parseBitsPerSecond(at.at('bandwidth').value);
  return {
    ...(waves.length === 0 ? {} : { waves }),
    ...(bakeSeconds === undefined ? {} : { bakeSeconds }),
    ...(stopAt === undefined ? {} : { stopAt }),
    ...(window === undefined ? {} : { window }),
    ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
  };
}

function buildMetadata(at: Cursor): Metadata {
  const { invariantId, version, ...given } = at.as<
    { invariantId: string; version: string } & Partial<Metadata>
  >();
  const parts = invariantId.split(':');
  return {
    invariantId,
    version,
    id: given.id ?? uuidV5(IOTMANO_NAMESPACE, JSON.stringify([invariantId, version])),
    provider: given.provider ?? parts[1] ?? invariantId,
    name: given.name ?? parts.at(-1) ?? invariantId,
  };
}

function buildPlacementRule(at: Cursor): IoTServiceDescriptor['placement'][number] {
  const type = at.at('together').exists ? 'together' : 'apart';
  return {
    type,
    functions: at.at(type).as<string[]>(),
    scope: at.at('scope').as<string>(),
    ...(at.at('weight').exists ? { weight: at.at('weight').as<number>() } : {}),
  };
}
