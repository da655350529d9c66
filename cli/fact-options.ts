import { Option, type Command } from 'commander';
import type { LatencyTarget, StatedFacts } from '../agents/index.ts';
import { parseBitsPerSecond } from '../kernel/index.ts';
import { CliFailure, EXIT } from './failure.ts';

export interface FactFlags {
  readonly tier: StatedFacts['tier'];
  readonly label: Record<string, string>;
  readonly address?: string;
  readonly reachableFrom?: readonly string[];
  readonly jurisdiction?: string;
  readonly provider?: string;
  readonly power?: string;
  readonly metered?: boolean;
  readonly uplink?: number;
  readonly uplinkJurisdiction?: readonly string[];
  readonly device: Record<string, number>;
  readonly latencyTo: readonly LatencyTarget[];
}

/** The options of an agent that say what its host is, as far as no program can find out. */
export function addFactOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--tier <tier>', 'where this host stands')
        .choices(['device-edge', 'cloud-edge', 'cloud'])
        .default('device-edge'),
    )
    .option('--label <name=value>', 'a label for placement (repeatable)', collectLabel, {})
    .option('--address <address>', 'from where others reach what runs here')
    .option('--reachable-from <expression...>', 'hosts or label expressions that can reach the address')
    .option('--jurisdiction <code>', 'ISO 3166 code of where data is here')
    .option('--provider <name>', 'who owns the infrastructure')
    .option('--power <source>', 'mains, battery, solar')
    .option('--metered', 'the uplink is paid by volume')
    .option('--uplink <bandwidth>', 'what the uplink carries, e.g. 10Mbit', bandwidth)
    .option('--uplink-jurisdiction <code...>', 'ISO 3166 codes of where its traffic passes through')
    .option('--device <class[=count]>', 'devices that functions can take (repeatable)', collectDevice, {})
    .option(
      '--latency-to <name=host:port>',
      'measure round trips to a host, zone or label=value, where it accepts TCP connections (repeatable)',
      collectTarget,
      [],
    );
}

/** What the options say. */
export function statedFacts(flags: FactFlags): StatedFacts {
  const { tier, label, address, reachableFrom, jurisdiction, provider, power, metered, device } = flags;
  const uplink = {
    ...(flags.uplink === undefined ? {} : { bitsPerSecond: flags.uplink }),
    ...(flags.uplinkJurisdiction === undefined ? {} : { jurisdictions: flags.uplinkJurisdiction }),
  };
  return {
    tier,
    labels: label,
    address,
    ...(reachableFrom === undefined ? {} : { reachableFrom }),
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    ...(provider === undefined ? {} : { infrastructureProvider: provider }),
    ...(power === undefined ? {} : { power }),
    ...(metered === undefined ? {} : { meteredUplink: metered }),
    ...(Object.keys(uplink).length === 0 ? {} : { uplink }),
    devices: device,
  };
}

/** As Mco has labels (host-facts.json): a wrong one is told here, not by a refusal of the host's facts later. */
const LABEL = /^(?<key>[A-Za-z0-9._/-]{1,100})=(?<value>\P{Cc}{0,200})$/u;

function collectLabel(text: string, collected: Record<string, string>): Record<string, string> {
  const { key, value } = LABEL.exec(text)?.groups ?? {};
  if (key === undefined || value === undefined) {
    throw new CliFailure(
      EXIT.usage,
      `--label wants key=value, the key of letters, digits, ".", "_", "/" and "-", the value of at most 200 characters without control characters; got ${JSON.stringify(text)}`,
    );
  }
  return { ...collected, [key]: value };
}

function bandwidth(text: string): number {
  const bitsPerSecond = parseBitsPerSecond(text);
  if (bitsPerSecond !== undefined && bitsPerSecond > 0) return bitsPerSecond;
  throw new CliFailure(EXIT.usage, `--uplink wants a bandwidth such as 256kbit or 10Mbit; got "${text}"`);
}

function collectDevice(text: string, collected: Record<string, number>): Record<string, number> {
  const { name, count = '1' } =
    /^(?<name>[a-z][a-z0-9.-]{0,39})(=(?<count>[0-9]{1,4}))?$/.exec(text)?.groups ?? {};
  const number = Number(count);
  if (name === undefined || number < 1 || number > 1000)
    throw new CliFailure(
      EXIT.usage,
      `--device wants a class of small letters, digits, "." and "-", or class=count with 1 to 1000, e.g. tpu=2; got "${text}"`,
    );
  return { ...collected, [name]: number };
}

function collectTarget(text: string, collected: readonly LatencyTarget[]): readonly LatencyTarget[] {
  const { to, address, port } =
    /^(?<to>[^\s].{0,199})=(?<address>\[[0-9a-fA-F:.]+\]|[^=:\s]+):(?<port>\d{1,5})$/.exec(text)?.groups ??
    {};
  if (to === undefined || address === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new CliFailure(
      EXIT.usage,
      `--latency-to wants what is measured and where it answers, e.g. zone=north=192.0.2.7:1883; got "${text}"`,
    );
  return [...collected, { to, address: address.replace(/^\[|\]$/g, ''), port: Number(port) }];
}
