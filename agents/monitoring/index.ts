/** The monitoring agent of a CSE: measures host and functions, looks for alarms, delivers both in order. */
export {
  startMonitoringAgent,
  type MonitoringAgent,
  type MonitoringAgentOptions,
} from './monitoring-agent.ts';
