%% Carries scenarios out on OTP's own supervisor and writes down what it did.
%%
%%     erl -noshell -pa FOLDER -run otp_oracle main SCENARIOS TRACES
%%
%% SCENARIOS holds terms {Supervisor, Actions}; scenario.hpp says what they mean. TRACES gets, for
%% each of them, a line "#" before what came of an action, and a line "." at the end.
%%
%% Nothing here sleeps or guesses. What a supervisor does (the start functions it calls, the exit
%% signals it sends) is traced in its own process, with a clock that orders all processes. An
%% action is over when the supervisors it concerns have taken in the exit and answer a call.
-module(otp_oracle).
-behaviour(supervisor).
-export([main/1, init/1, start_child/2, start_instance/3, note/2, log/2]).

-define(LIVES, otp_oracle_lives).        % path -> process
-define(PATHS, otp_oracle_paths).        % process -> path, those that have ended included
-define(FAILURES, otp_oracle_failures).  % path -> how many of the next starts fail
-define(PATIENCE, 60000).                % ms that a scenario may take; it needs a few.

main([Scenarios, Traces]) ->
    [ets:new(Table, [named_table, public]) || Table <- [?LIVES, ?PATHS, ?FAILURES]],
    ok = logger:remove_handler(default),
    ok = logger:add_handler(?MODULE, ?MODULE, #{level => error}),
    1 = erlang:trace_pattern({?MODULE, note, 2}, true, []),
    1 = erlang:trace_pattern({erlang, exit, 2}, true, []),
    _ = erlang:trace_pattern('receive', [{['_', '_', {'EXIT', '_', '_'}], [], []}], []),
    {ok, All} = file:consult(Scenarios),
    {ok, File} = file:open(Traces, [raw, write, delayed_write]),
    [ok = file:write(File, run(Scenario)) || Scenario <- All],
    ok = file:close(File),
    halt(0).

%% ---- The process that has the trace ----

run(Scenario) ->
    [ets:delete_all_objects(Table) || Table <- [?LIVES, ?PATHS, ?FAILURES]],
    Us = self(),
    Runner = spawn_link(fun() ->
        erlang:trace(self(), true, [call, 'receive', set_on_spawn, strict_monotonic_timestamp,
                                    {tracer, Us}]),
        process_flag(trap_exit, true),
        act(Us, Scenario),
        Us ! {done, self()},
        receive after infinity -> ok end
    end),
    Text = collect(Runner, [], [], []),
    unlink(Runner),
    exit(Runner, kill),
    [Text, ".\n"].

collect(Runner, Calls, Exits, Text) ->
    receive
        {trace_ts, Who, call, {_, Function, Arguments}, At} ->
            collect(Runner, [{At, Who, Function, Arguments} | Calls], Exits, Text);
        {trace_ts, _, 'receive', {'EXIT', Pid, _}, _} ->
            collect(Runner, Calls, [Pid | Exits], Text);
        {has_ended, Runner, Pid} ->
            await_exit(Pid, Exits),
            Runner ! {taken_in, Pid},
            collect(Runner, Calls, [Pid | Exits], Text);
        {over, Runner, Dead, Last} ->
            Lines = lines_of(lists:sort(Calls ++ rest_of_trace()), Runner, Dead),
            Runner ! written,
            collect(Runner, [], [], [Text, "#\n", Lines, Last]);
        {done, Runner} ->
            Text
    after ?PATIENCE ->
        io:format(standard_error, "no end of a scenario; so far:~n~ts", [Text]),
        halt(1)
    end.

%% Until the end of Pid is in the mailbox of whoever is linked to it.
await_exit(Pid, Exits) ->
    lists:member(Pid, Exits) orelse
        receive {trace_ts, _, 'receive', {'EXIT', Pid, _}, _} -> true
        after ?PATIENCE -> exit({never_ended, Pid})
        end.

rest_of_trace() ->
    Mark = erlang:trace_delivered(all),
    receive {trace_delivered, all, Mark} -> ok end,
    calls_in_mailbox().

calls_in_mailbox() ->
    receive {trace_ts, Who, call, {_, Function, Arguments}, At} ->
        [{At, Who, Function, Arguments} | calls_in_mailbox()]
    after 0 -> []
    end.

%% Only what a supervisor does counts, and only to a child that lives to see it.
lines_of(Calls, Runner, Dead) ->
    [line(Function, Arguments, Dead) || {_, Who, Function, Arguments} <- Calls, Who =/= Runner].

line(note, [What, Path], _) -> [What, " ", text(Path), "\n"];
line(exit, [Pid, Reason], Dead) ->
    case {ets:lookup(?PATHS, Pid), lists:member(Pid, Dead), Reason} of
        {[{_, Path}], false, shutdown} -> ["stop ", text(Path), "\n"];
        {[{_, Path}], false, kill} -> ["kill ", text(Path), "\n"];
        _ -> []
    end.

text([]) -> "/";
text(Path) -> [["/", atom_to_list(Name)] || Name <- Path].

%% ---- The process that does what the scenario says ----

act(Us, {Supervisor, Actions}) -> act(Us, Supervisor, Actions, idle).

act(_, _, [], _) -> ok;
act(Us, Supervisor, [Action | Later], Before) ->
    Dead = victims(Action),
    {Said, State} = case is_possible(Action) of
        true -> do(Us, Supervisor, Action, Before);
        false -> {"nobody there\n", Before}
    end,
    Us ! {over, self(), Dead, [Said, standing(State)]},
    receive written -> ok end,
    State =:= ended orelse act(Us, Supervisor, Later, State).

%% A scenario that was written from what the other side did may ask for what cannot be done here.
is_possible({exits, Ends}) -> lists:all(fun({Path, _}) -> is_alive(Path) end, Ends);
is_possible({start, Over, _}) -> is_alive(Over);
is_possible({grow, Over, _}) -> is_alive(Over);
is_possible({shrink, Path}) -> is_alive(Path);
is_possible({Command, Path}) when is_atom(Command) -> is_alive(lists:droplast(Path));
is_possible(_) -> true.

is_alive(Path) ->
    case ets:lookup(?LIVES, Path) of
        [{_, Pid}] -> is_process_alive(Pid);
        [] -> false
    end.

victims({exits, Ends}) -> [life(Path) || {Path, _} <- Ends, is_alive(Path)];
victims(_) -> [].

standing(idle) -> [];
standing(ended) -> "end\n";
standing(up) -> ["up", [[" ", text(Path)] || Path <- lists:sort(running([]))], "\n"].

running(Over) ->
    Up = [{ets:lookup_element(?PATHS, Pid, 2), Type}
          || {_, Pid, Type, _} <- supervisor:which_children(life(Over)), is_pid(Pid)],
    lists:append([[Path | case Type of supervisor -> running(Path); worker -> [] end]
                  || {Path, Type} <- Up]).

do(_, Supervisor, start, idle) ->
    case supervisor:start_link(?MODULE, {[], Supervisor}) of
        {ok, Pid} -> remember([], Pid), {[], up};
        {error, _} -> {"start failed\n", ended}
    end;
do(_, _, {fail, Path, Times}, State) ->
    ets:insert(?FAILURES, {Path, Times}),
    {[], State};
do(Us, _, {exits, [{First, _} | _] = Ends}, up) ->
    Over = lists:droplast(First),
    Supervisor = life(Over),
    ok = sys:suspend(Supervisor, infinity),  % All of them are over before it looks at the first.
    [finish(Us, Path, Reason) || {Path, Reason} <- Ends],
    ok = sys:resume(Supervisor, infinity),
    {[], settle(Us, Over, Supervisor)};
do(_, _, shutdown, up) ->
    Root = life([]),
    exit(Root, shutdown),
    receive {'EXIT', Root, _} -> {[], ended} end;
do(_, _, {start, Over, Child}, up) ->
    {reply(supervisor:start_child(life(Over), child_spec(Over, Child))), up};
do(_, _, {grow, Over, Name}, up) ->
    {reply(supervisor:start_child(life(Over), [Name])), up};
do(_, _, {shrink, Path}, up) ->
    {reply(supervisor:terminate_child(life(lists:droplast(Path)), life(Path))), up};
do(_, _, {Command, Path}, up) ->
    Call = #{terminate => terminate_child, restart => restart_child, delete => delete_child},
    Supervisor = life(lists:droplast(Path)),
    {reply(supervisor:(map_get(Command, Call))(Supervisor, lists:last(Path))), up}.

reply(ok) -> "reply ok\n";
reply({ok, _}) -> "reply ok\n";
reply({error, {already_started, _}}) -> "reply taken\n";
reply({error, already_present}) -> "reply taken\n";
reply({error, told_to}) -> "reply failed\n";
reply({error, Known}) when is_atom(Known) -> ["reply ", atom_to_list(Known), "\n"];
reply({error, _}) -> "reply failed\n".

finish(Us, Path, killed) ->
    exit(life(Path), kill),
    taken_in(Us, life(Path));
finish(Us, Path, Reason) ->
    life(Path) ! {exit, Reason},
    taken_in(Us, life(Path)).

taken_in(Us, Pid) ->
    Us ! {has_ended, self(), Pid},
    receive {taken_in, Pid} -> ok end.

%% A start that failed is tried again by a message of the supervisor to itself, so one answer is
%% not enough; and the end of a nested supervisor is an exit in the one above it.
settle(Us, Over, Supervisor) ->
    case catch supervisor:which_children(Supervisor) of
        {'EXIT', _} when Over =:= [] ->
            receive {'EXIT', Supervisor, _} -> ended end;
        {'EXIT', _} ->
            taken_in(Us, Supervisor),
            settle_above(Us, Over);
        Children ->
            case {lists:keymember(restarting, 2, Children), Over} of
                {true, _} -> settle(Us, Over, Supervisor);
                {false, []} -> up;
                {false, _} -> settle_above(Us, Over)
            end
    end.

settle_above(Us, Path) ->
    Over = lists:droplast(Path),
    settle(Us, Over, life(Over)).

life(Path) -> ets:lookup_element(?LIVES, Path, 2).

remember(Path, Pid) ->
    ets:insert(?LIVES, {Path, Pid}),
    ets:insert(?PATHS, {Pid, Path}).

%% ---- What runs inside the supervisors and below them ----

init({Path, {Strategy, Intensity, Auto, Children}}) ->
    put(path, Path),
    Flags = #{strategy => Strategy, intensity => Intensity, period => 3600, auto_shutdown => Auto},
    Specs = [child_spec(Path, Child) || Child <- Children],
    {ok, {Flags, case Strategy of simple_one_for_one -> instances_of(Path, Specs); _ -> Specs end}}.

%% OTP appends the name of the instance.
instances_of(Path, [#{start := {_, _, [_, What]}} = Template]) ->
    [Template#{start := {?MODULE, start_instance, [Path, What]}}].

start_instance(Over, What, Name) -> start_child(Over ++ [Name], What).

child_spec(Over, {Name, Restart, Significant, Nature, What}) ->
    #{id => Name, start => {?MODULE, start_child, [Over ++ [Name], {Nature, What}]},
      restart => Restart, significant => Significant,
      shutdown => case Nature of brutal -> brutal_kill; deaf -> 1; _ -> infinity end,
      type => case What of worker -> worker; _ -> supervisor end}.

start_child(Path, What) ->
    case ets:lookup(?FAILURES, Path) of
        [{_, Times}] when Times > 0 ->
            ets:insert(?FAILURES, {Path, Times - 1}),
            ?MODULE:note("fail", Path),
            {error, told_to};
        _ ->
            ?MODULE:note("start", Path),
            begin_child(Path, What)
    end.

begin_child(Path, {Nature, worker}) ->
    Over = self(),
    Pid = spawn_link(fun() ->
        process_flag(trap_exit, Nature =:= deaf orelse Nature =:= rude),
        Over ! {lives, self()},
        live(Over, Nature)
    end),
    receive {lives, Pid} -> remember(Path, Pid) end,
    {ok, Pid};
begin_child(Path, {_, Supervisor}) ->
    case supervisor:start_link(?MODULE, {Path, Supervisor}) of
        {ok, Pid} -> remember(Path, Pid), {ok, Pid};
        Failure -> Failure
    end.

live(Over, Nature) ->
    receive
        {exit, Reason} -> exit(Reason);
        {'EXIT', Over, shutdown} when Nature =:= rude -> exit(rude);
        {'EXIT', _, _} -> live(Over, Nature)
    end.

%% Called for the trace only.
note(_, _) -> ok.

%% The logger calls this in the process that reports.
log(#{msg := {report, #{label := {supervisor, shutdown}, report := Report}}}, _) ->
    case proplists:get_value(reason, Report) of
        reached_max_restart_intensity -> ?MODULE:note("gives up", get(path));
        _ -> ok
    end;
log(_, _) -> ok.
