import type { ClientConfig } from './config.ts';

/** The page of the Temporal UI that lists the runs of a query; null: nobody said where the UI is. */
export const pageOfRuns = ({ uiAddress, namespace }: Pick<ClientConfig, 'uiAddress' | 'namespace'>, query: string) =>
  uiAddress === null
    ? null
    : `${uiAddress}/namespaces/${encodeURIComponent(namespace)}/workflows?query=${encodeURIComponent(query)}`;
