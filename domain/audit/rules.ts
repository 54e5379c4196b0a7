import { ACCESS_RULES } from './access.ts';
import { ACCOUNT_RULES } from './accounts.ts';
import { CONTENT_RULES } from './contents.ts';
import { CONTINUITY_RULES } from './continuity.ts';
import { IDENTITY_RULES } from './identity.ts';
import { PLACEMENT_RULES } from './placement.ts';
import { REPLICATION_RULES } from './replication.ts';
import { RESTART_RULES } from './restart.ts';
import type { Rule } from './rule.ts';
import { SETTING_RULES } from './settings.ts';
import { TLS_RULES } from './tls.ts';
import { VIP_CONFIGURATION_RULES } from './vip-configuration.ts';
import { VIP_HOLDING_RULES } from './vip-holding.ts';

/** Every rule of an audit, in the order of docs/audit.md. */
export const RULES: readonly Rule[] = [
  ...IDENTITY_RULES,
  ...SETTING_RULES,
  ...REPLICATION_RULES,
  ...TLS_RULES,
  ...ACCOUNT_RULES,
  ...CONTENT_RULES,
  ...RESTART_RULES,
  ...VIP_CONFIGURATION_RULES,
  ...VIP_HOLDING_RULES,
  ...PLACEMENT_RULES,
  ...CONTINUITY_RULES,
  ...ACCESS_RULES,
];
