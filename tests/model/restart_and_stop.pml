/* A supervisor that restarts its children after a delay, and may be told to stop at any moment.
 *
 * The same decisions as libsupervisor/espalier/supervisor/core/engine_*.cpp, with everything taken
 * out that does not bear on the four properties at the end: strategy one_for_one, children without
 * dependencies, probes or gates, and `starting` and `running` as one phase `up`, since every
 * function modelled here treats them alike. The functions are named where they are modelled.
 *
 * The engine takes one input after another, so each of its steps is one d_step. Its deadlines carry
 * no time: whatever is armed may be due next. The window of the restart limit is as long as the
 * run. Both allow the engine more than a real clock does.
 *
 * A child may fail, complete, ignore a stop, ignore an abort, or ignore one and end late all the
 * same. It cannot live on after it has reported its exit: that is for the shells to guarantee.
 *
 * -D sizes: N children (2 to 4), LIMIT restarts, COMMANDS restarts ordered by an operator.
 * -D mutants, each of which breaks one property: late_timer, restart_abandoned, no_limit,
 * no_deadline. scripts/check_model.py checks that the properties notice.
 */
#ifndef N
#define N 2
#endif
#ifndef LIMIT
#define LIMIT 2
#endif
#ifndef COMMANDS
#define COMMANDS 1
#endif

mtype:phase = { idle, up, backing_off, stopping, aborting, abandoned, down };
mtype:mode = { serving, draining, ending, finished };  /* Mode, Closing::Step */

/* What the engine knows. */
mtype:mode mode = serving;
mtype:phase phase[N] = up;  /* on(Start) has been carried out */
bool restart_wanted[N];
bool straggler[N];
byte restarts;    /* RestartWindow */
byte awaited;     /* closing_.awaited */
byte straggling;  /* closing_.straggling */
byte cursor;      /* closing_.cursor */
bool closing_armed;

/* What is true of the world. */
byte alive[N] = 1; /* lives of the child that run now */
bool told_stop[N];
bool told_abort[N];
bool deaf[N];    /* to a stop */
bool lost[N];    /* to an abort as well: it never ends */
byte reports[N]; /* exits that the engine has yet to hear of: 1 completed, 2 failed */
byte commands;

byte k; /* of loops; zero between steps, so that it tells no states apart */

#define live(i) (phase[i] == up || phase[i] == stopping || phase[i] == aborting)

/* ---- engine_start.cpp ---- */

inline begin_attempt(i) {
  restart_wanted[i] = false;
  phase[i] = up;
  told_stop[i] = false;
  told_abort[i] = false;
  deaf[i] = false;
  lost[i] = false;
  alive[i]++
}

/* ---- engine_scope.cpp ---- */

inline ask_to_stop(i) {
  phase[i] = stopping;
  told_stop[i] = true
}

inline abort_child(i) {
  phase[i] = aborting;
  told_abort[i] = true
}

/* abandon(), give_up_on() */
inline give_up_on(i) {
  phase[i] = abandoned;
#ifdef restart_abandoned
  begin_attempt(i)
#endif
}

/* ---- engine_closing.cpp ---- */

inline abort_stragglers() {
  mode = ending;
  if
  :: straggling == 0 -> mode = finished; closing_armed = false
  :: else ->
    for (k : 0 .. N - 1) {
      if
      :: straggler[k] && live(k) -> abort_child(k)
      :: else
      fi
    }
    k = 0
  fi
}

inline pursue_closing() {
  if
  :: mode == ending ->
    if
    :: straggling == 0 -> mode = finished; closing_armed = false
    :: else
    fi
  :: mode == draining ->
    do
    :: awaited == 0 -> abort_stragglers(); break
    :: awaited > 0 && cursor < N && live(cursor) && !straggler[cursor] -> break
    :: else ->
      if
      :: cursor == 0 -> break
      :: else ->
        cursor--; /* ask_next_in_order() */
        if
        :: phase[cursor] == up -> ask_to_stop(cursor)
        :: else
        fi
      fi
    od
  :: else
  fi
}

/* begin_closing(), count_children_to_close() */
inline begin_closing() {
  mode = draining;
  for (k : 0 .. N - 1) {
    restart_wanted[k] = false;
    if
    :: live(k) -> awaited++
#ifndef late_timer
    :: phase[k] == backing_off -> phase[k] = idle /* cancel_wait(): its deadline is disarmed */
#endif
    :: else
    fi
  }
  k = 0;
  cursor = N;
#ifndef no_deadline
  closing_armed = true;
#endif
  pursue_closing()
}

inline become_straggler(i) {
  straggler[i] = true;
  awaited--;
  straggling++
}

inline end_drain() {
  for (k : 0 .. N - 1) {
    if
    :: live(k) && !straggler[k] -> become_straggler(k)
    :: else
    fi
  }
  k = 0;
  abort_stragglers()
}

inline abandon_stragglers() {
  for (k : 0 .. N - 1) {
    if
    :: straggler[k] && live(k) -> phase[k] = abandoned
    :: else
    fi
  }
  k = 0;
  straggling = 0;
  mode = finished;
  closing_armed = false
}

inline exited_while_closing(i) {
  if
  :: straggler[i] -> straggling--
  :: else -> awaited--
  fi;
  phase[i] = down;
  pursue_closing()
}

/* ---- engine_exit.cpp ---- */

/* judge(), decide(), carry_out(): a failure counts towards the limit; past it, escalate(). */
inline judge(i, failed, delayed) {
  if
  :: !failed -> phase[i] = down
#ifndef no_limit
  :: failed && restarts >= LIMIT -> phase[i] = down; begin_closing()
#endif
  :: else ->
    restarts++;
    if
    :: delayed -> phase[i] = backing_off
    :: else -> begin_attempt(i)
    fi
  fi
}

/* on(ChildExited), after_exit(), end_of_abandoned() */
inline on_exited(i, failed, delayed) {
  if
  :: phase[i] == abandoned ->
    phase[i] = down;
    if
    :: mode == serving && restart_wanted[i] -> begin_attempt(i)
    :: else
    fi
  :: live(i) ->
    if
    :: mode == draining || mode == ending -> exited_while_closing(i)
    :: mode == serving && restart_wanted[i] -> begin_attempt(i)
    :: mode == serving && !restart_wanted[i] -> judge(i, failed, delayed)
    :: else
    fi
  :: else /* is_current() says no */
  fi
}

/* ---- engine_timers.cpp: on_child_deadline() ---- */

#define armed(i)                                                                         \
  (phase[i] == backing_off || ((phase[i] == stopping || phase[i] == aborting) && !straggler[i]) || \
   (phase[i] == up && mode == serving))

inline on_child_deadline(i) {
  if
  :: phase[i] == backing_off -> begin_attempt(i)
  :: phase[i] == up -> abort_child(i) /* end_for(): watchdog, run time-out or health check */
  :: (phase[i] == stopping || phase[i] == aborting) && mode != serving ->
    become_straggler(i);
    pursue_closing()
  :: phase[i] == stopping && mode == serving -> abort_child(i)
  :: phase[i] == aborting && mode == serving -> give_up_on(i)
  :: else
  fi
}

/* ---- engine_order.cpp: order_restart(); engine_intent.cpp: bring_up() ---- */

inline order_restart(i) {
  if
  :: phase[i] == up -> restart_wanted[i] = true; ask_to_stop(i)
  :: phase[i] == stopping || phase[i] == aborting || phase[i] == abandoned ->
    restart_wanted[i] = true
  :: else -> begin_attempt(i) /* what it waited for is cancelled */
  fi
}

/* ---- Who runs ---- */

/* The code of one child: what may become of a life. */
active [N] proctype child() {
  byte i = _pid;
end:
  do
  :: d_step { alive[i] > 0 && !deaf[i] && !lost[i] -> alive[i]--; reports[i] = 2 }
  :: d_step { alive[i] > 0 && !deaf[i] && !lost[i] -> alive[i]--; reports[i] = 1 }
  :: d_step { alive[i] > 0 && told_stop[i] && !deaf[i] && !told_abort[i] -> deaf[i] = true }
  :: d_step { alive[i] > 0 && told_abort[i] && deaf[i] -> deaf[i] = false } /* it ends, late or not */
  :: d_step { alive[i] > 0 && told_abort[i] && !lost[i] -> lost[i] = true }
  od
}

/* The engine, as it hears of one child, of its deadline, and of commands for it. */
active [N] proctype inbox() {
  byte i = _pid - N;
end:
  do
  :: d_step { reports[i] != 0 -> reports[i]--; on_exited(i, reports[i], false); reports[i] = 0 }
  :: d_step { reports[i] != 0 -> reports[i]--; on_exited(i, reports[i], true); reports[i] = 0 }
  :: d_step { armed(i) && mode != finished -> on_child_deadline(i) }
  :: d_step { commands < COMMANDS && mode == serving -> commands++; order_restart(i) }
  od
}

/* on(TimePassed) for the deadline of the closing */
active proctype closing_deadline() {
end:
  do
  :: d_step { closing_armed && mode == draining -> end_drain() }
  :: d_step { closing_armed && mode == ending -> abandon_stragglers() }
  od
}

/* on(Stop), at any moment; on(Abort), at any moment of the drain, if at all */
active proctype operator() {
  d_step {
    if
    :: mode == serving -> begin_closing()
    :: else
    fi
  };
end:
  do
  :: d_step { mode == draining -> end_drain() }
  od
}

/* ---- What must hold ---- */

#if N == 2
#define EVERY(p) (p(0) && p(1))
#elif N == 3
#define EVERY(p) (p(0) && p(1) && p(2))
#else
#define EVERY(p) (p(0) && p(1) && p(2) && p(3))
#endif
#define at_most_one_life(i) (alive[i] <= 1)
#define ended_or_named(i) (alive[i] == 0 || phase[i] == abandoned) /* abort_failed in the report */

ltl one_life { [] EVERY(at_most_one_life) }
ltl nothing_left { [] (mode == finished -> EVERY(ended_or_named)) }
ltl within_limit { [] (restarts <= LIMIT) }
ltl stop_ends { [] (mode != serving -> <> (mode == finished)) }
