/** The HelpConditions port: what this browser says of the battery and the connection. What it does not say counts as no reason. */
import type { HelpConditions } from '../base/ports.ts';

interface Battery extends EventTarget {
  readonly charging: boolean;
}

interface Connection extends EventTarget {
  readonly saveData?: boolean;
  readonly type?: string;
}

/** Neither is in every browser, nor in TypeScript's library. */
type Informed = Navigator & { readonly getBattery?: () => Promise<Battery>; readonly connection?: Connection };

export function createHelpConditions(): HelpConditions {
  const { connection, getBattery } = navigator as Informed;
  const listeners = new Set<() => void>();
  let battery: Battery | null = null;
  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };
  connection?.addEventListener('change', changed);
  getBattery?.call(navigator).then(
    (found) => {
      battery = found;
      found.addEventListener('chargingchange', changed);
      changed();
    },
    () => undefined, // A browser that keeps it to itself.
  );
  return {
    current: () => ({
      onBattery: battery?.charging === false,
      metered: connection?.saveData === true || connection?.type === 'cellular',
    }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
