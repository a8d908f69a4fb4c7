import { useCallback, useEffect, useState } from "react";

/** What a panel knows about its part of the server's data. `stale` is kept while it reloads. */
export type Resource<T> =
  | { state: "loading"; stale: T | null; reload: () => void }
  | { state: "ready"; value: T; reload: () => void }
  | { state: "failed"; error: Error; reload: () => void };

type Known<T> =
  | { state: "loading"; stale: T | null }
  | { state: "ready"; value: T }
  | { state: "failed"; error: Error };

/** Loads anew when `load` or `revision` changes (wrap `load` in useCallback), or when asked to. */
export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  revision: number,
): Resource<T> {
  const [known, setKnown] = useState<Known<T>>({ state: "loading", stale: null });
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt or revision is what reloads
  useEffect(() => {
    const controller = new AbortController();
    setKnown((last) => ({ state: "loading", stale: last.state === "ready" ? last.value : null }));
    load(controller.signal).then(
      (value) => controller.signal.aborted || setKnown({ state: "ready", value }),
      (error: Error) => controller.signal.aborted || setKnown({ state: "failed", error }),
    );
    return () => controller.abort();
  }, [load, revision, attempt]);

  return { ...known, reload };
}

/** The value if there is one to show, even one that is being reloaded. */
export function shown<T>(resource: Resource<T>): T | null {
  if (resource.state === "ready") return resource.value;
  return resource.state === "loading" ? resource.stale : null;
}
