/**
 * All role processes of this machine: started together, replaced one after the other, stopped. A replacement is up and ready before
 * the old process is asked to leave, so that the port is never without a listener: a deploy in the middle of a show. The two have
 * different node ids, `gateway-0` and `gateway-0b` in turn, because leases and journals are kept by node.
 */
import { join } from "node:path";
import { childEnvironment, type Config, projectDir } from "../config.ts";
import type { Running } from "../lifecycle.ts";
import type { Logger } from "../log.ts";
import { Refusal } from "../refusal.ts";
import type { Role } from "../role.ts";
import { type RoleProcess, startRoleProcess } from "./role-process.ts";

export interface Roles {
  /** @throws Refusal when one of them never will be */
  readonly ready: Promise<unknown>;
  /** Replaces gateways and control; video and Redis stay. A second call during the first does nothing. */
  replace(): Promise<void>;
  kill(): void;
}

export interface RolesPorts {
  readonly config: Config & { readonly nodeId: string };
  readonly running: Running;
  readonly log: Logger;
}

interface Slot {
  readonly name: string;
  readonly role: Role;
  process: RoleProcess;
  isSecond: boolean;
}

/** Beyond DRAIN_MS, before SIGKILL. */
const GRACE_MS = 6000;

export function startRoles({ config, running, log }: RolesPorts): Roles {
  const maxStopMs = config.drainMs + GRACE_MS;
  const givenUp = Promise.withResolvers<never>();
  // Nobody may be waiting any more.
  givenUp.promise.catch(() => undefined);

  const begin = (
    { name, role, isSecond }: Pick<Slot, "name" | "role" | "isSecond">,
    onGivenUp: () => void,
  ): RoleProcess =>
    startRoleProcess({
      name,
      role,
      main: join(projectDir, "server/main.ts"),
      environment: (restarts) =>
        childEnvironment({
          ...config,
          nodeId: `${config.nodeId}-${name}${isSecond ? "b" : ""}`,
          // Armed once: the process that comes back must not die of it again.
          faultPoint: restarts === 0 && !isSecond ? config.faultPoint : undefined,
        }),
      log,
      onGivenUp,
    });
  const start = (role: Role, count: number): readonly Slot[] => {
    const slots = Array.from({ length: count }, (_, index): Slot => {
      const slot = { name: `${role}-${index}`, role, isSecond: false };
      const refuse = (): void =>
        givenUp.reject(new Refusal(`${slot.name} does not start: the reason is above`));
      return { ...slot, process: begin(slot, refuse) };
    });
    running.add({
      name: role,
      maxStopMs: maxStopMs + GRACE_MS,
      stop: async () =>
        void (await Promise.all(slots.map(({ process }) => process.stop(maxStopMs)))),
    });
    return slots;
  };

  // All at once: any of them can live without the others for a while.
  const control = start("control", 1);
  const media = start("media", config.mediaWorkers > 0 ? 1 : 0);
  const gateways = start("gateway", config.gateways);
  const all = [...control, ...media, ...gateways];

  /** @returns false when the new one does not start; the old one goes on */
  const renew = async (slot: Slot): Promise<boolean> => {
    const next = { name: slot.name, role: slot.role, isSecond: !slot.isSecond };
    const refused = Promise.withResolvers<false>();
    const successor = begin(next, () => refused.resolve(false));
    const isReady = await Promise.race([successor.ready.then(() => true), refused.promise]);
    if (!isReady || running.stopping) {
      await successor.stop(maxStopMs);
      return false;
    }
    const old = slot.process;
    slot.process = successor;
    slot.isSecond = next.isSecond;
    await old.stop(maxStopMs);
    log.info(`${slot.name} is replaced`);
    return true;
  };
  let replacing = false;
  return {
    ready: Promise.race([Promise.all(all.map(({ process }) => process.ready)), givenUp.promise]),
    async replace() {
      if (replacing) return log.warn("a deploy is under way already");
      replacing = true;
      log.info("deploy: every gateway and control is replaced, one after the other");
      for (const slot of [...gateways, ...control]) {
        if (await renew(slot)) continue;
        log.error(`deploy: ${slot.name} does not start anew, what runs goes on`);
        break;
      }
      replacing = false;
      log.info("deploy: over");
    },
    kill() {
      for (const { process } of all) process.kill();
    },
  };
}
