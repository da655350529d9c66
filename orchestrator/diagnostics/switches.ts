import { IotmanoError, SYSTEM_TENANT, toTimestamp, type Clock } from '../../kernel/index.ts';
import type { Caller, DiagnosticSwitch, DiagnosticsDocument } from '../domain/index.ts';
import type { StateStore, StateView, StoredRecord } from '../store/index.ts';
import type { AuditLog } from './audit-log.ts';

export type DiagnosticKind = 'logs' | 'exec';
export type SwitchChanges = Readonly<Partial<Record<DiagnosticKind, boolean>>>;

const ID = 'diagnostics';

export function findSwitches(state: StateView): StoredRecord<'diagnostics'> | undefined {
  return state.get('diagnostics', ID);
}

/** Off until an operator has switched it on. */
export function isSwitchedOn(state: StateView, kind: DiagnosticKind): boolean {
  return findSwitches(state)?.document[kind].isOn === true;
}

/** @throws IotmanoError `conflict` saying who can switch it on */
export function requireSwitchedOn(state: StateView, kind: DiagnosticKind): void {
  if (isSwitchedOn(state, kind)) return;
  throw new IotmanoError(
    'conflict',
    `diagnostics of the kind ${kind} are switched off; an admin of the installation can switch them on (iotmano diagnostics on ${kind}), and every use is then in the audit log`,
  );
}

/** Switches, and notes it in the audit log, in one commit. */
export function applySwitches(
  store: StateStore,
  clock: Clock,
  audit: AuditLog,
  caller: Caller,
  changes: SwitchChanges,
): void {
  const before = findSwitches(store)?.document;
  const changed = { at: toTimestamp(clock.now()), by: caller.name };
  const after = (kind: DiagnosticKind): DiagnosticSwitch => {
    const { [kind]: known = { isOn: false } } = before ?? {};
    const isOn = changes[kind] ?? known.isOn;
    // Who says again what is so already has changed nothing; the audit log has it.
    return isOn === known.isOn ? known : { isOn, changed };
  };
  const document: DiagnosticsDocument = { logs: after('logs'), exec: after('exec') };
  const { writes } = audit.entryOf(caller, { action: 'switch', switched: changes });
  store.commit([{ op: 'put', kind: 'diagnostics', id: ID, tenant: SYSTEM_TENANT, document }, ...writes]);
}
