%% The rows of supervision.cpp with Erlang/OTP's own supervisor: one line a measure, in the same words.
%% erlc otp_supervision.erl && erl -noshell -pa . -run otp_supervision main -s init stop
-module(otp_supervision).
-export([main/0, init/1, start_idle/0, start_crash/3]).

main() ->
    logger:set_primary_config(level, none),
    many("100,000 actors", 100000),
    many("10,000 actors", 10000),
    [crash_loop(Siblings, Rounds) || {Siblings, Rounds} <- [{0, 20000}, {10000, 5000}, {100000, 1000}]],
    all_at_once(10000),
    one_for_all(1000),
    list(100000).

init(Spec) -> {ok, Spec}.

idle(Count) ->
    [#{id => N, start => {?MODULE, start_idle, []}, restart => permanent, shutdown => 5000}
     || N <- lists:seq(1, Count)].

flags(Strategy) -> #{strategy => Strategy, intensity => 1000000, period => 1}.

start_idle() ->
    {ok, spawn_link(fun() -> process_flag(trap_exit, true), idle_loop() end)}.

idle_loop() ->
    receive
        {'EXIT', _, Reason} -> exit(Reason);
        {ping, From} -> From ! pong, idle_loop();
        crash -> exit(crash)
    end.

ms(Begin) -> erlang:convert_time_unit(erlang:monotonic_time() - Begin, native, microsecond) / 1000.
us(Begin, End) -> erlang:convert_time_unit(End - Begin, native, nanosecond) / 1000.

stop(Sup) ->
    unlink(Sup),
    Ref = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', Ref, _, _, _} -> ok end.

many(What, Count) ->
    erlang:garbage_collect(),
    Before = erlang:memory(total),
    Specs = idle(Count),
    Begin = erlang:monotonic_time(),
    {ok, Sup} = supervisor:start_link(?MODULE, {flags(one_for_one), Specs}),
    Start = ms(Begin),
    Bytes = (erlang:memory(total) - Before) / Count,
    Again = erlang:monotonic_time(),
    stop(Sup),
    io:format("~s: start ~.1f ms, stop ~.1f ms, memory ~b B/child~n", [What, Start, ms(Again), round(Bytes)]).

%% One child that ends its own life as soon as it lives.
start_crash(Table, Rounds, Reader) ->
    {ok, spawn_link(fun() -> crash(Table, Rounds, Reader) end)}.

crash(Table, Rounds, Reader) ->
    Now = erlang:monotonic_time(),
    Lives = ets:update_counter(Table, lives, 1),
    case ets:lookup(Table, crashed_at) of
        [{_, At}] -> ets:insert(Table, {{delay, Lives}, us(At, Now)});
        [] -> ok
    end,
    case Lives > Rounds of
        true -> Reader ! done, receive never -> ok end;
        false -> ets:insert(Table, {crashed_at, erlang:monotonic_time()}), exit(crash)
    end.

crash_loop(Siblings, Rounds) ->
    Table = ets:new(t, [public, set]),
    ets:insert(Table, {lives, 0}),
    Crashing = #{id => crashing, start => {?MODULE, start_crash, [Table, Rounds, self()]},
                 restart => permanent, shutdown => brutal_kill},
    {ok, Sup} = supervisor:start_link(?MODULE, {flags(one_for_one), idle(Siblings)}),
    Begin = erlang:monotonic_time(),
    {ok, _} = supervisor:start_child(Sup, Crashing),
    receive done -> ok end,
    Total = ms(Begin),
    Delays = lists:sort([D || {{delay, _}, D} <- ets:tab2list(Table)]),
    stop(Sup),
    ets:delete(Table),
    io:format("crash -> serving among ~b siblings: p50 ~.1f us, p99 ~.1f us, rate ~b restarts/s~n",
              [Siblings, quantile(Delays, 0.5), quantile(Delays, 0.99), round(Rounds / Total * 1000)]).

quantile(Sorted, Q) -> lists:nth(max(1, round(Q * length(Sorted))), Sorted).

pids(Sup) -> [Pid || {_, Pid, _, _} <- supervisor:which_children(Sup), is_pid(Pid)].

all_serving(Sup, Count, Old) ->
    Pids = pids(Sup),
    case length(Pids) =:= Count andalso not lists:any(fun(P) -> is_map_key(P, Old) end, Pids) of
        true ->
            [P ! {ping, self()} || P <- Pids],
            [receive pong -> ok end || _ <- Pids];
        false -> all_serving(Sup, Count, Old)
    end.

all_at_once(Count) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {flags(one_for_one), idle(Count)}),
    Pids = pids(Sup),
    Old = maps:from_keys(Pids, true),
    Begin = erlang:monotonic_time(),
    [P ! crash || P <- Pids],
    all_serving(Sup, Count, Old),
    io:format("~b crash at once -> all serving: time ~.1f ms~n", [Count, ms(Begin)]),
    stop(Sup).

one_for_all(Count) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {flags(one_for_all), idle(Count)}),
    Pids = pids(Sup),
    Old = maps:from_keys(Pids, true),
    Begin = erlang:monotonic_time(),
    hd(Pids) ! crash,
    all_serving(Sup, Count, Old),
    io:format("OneForAll of ~b: crash -> all serving: time ~.1f ms~n", [Count, ms(Begin)]),
    stop(Sup).

list(Count) ->
    {ok, Sup} = supervisor:start_link(?MODULE, {flags(one_for_one), idle(Count)}),
    Begin = erlang:monotonic_time(),
    Count = length(supervisor:which_children(Sup)),
    io:format("list ~b children: time ~.1f ms~n", [Count, ms(Begin)]),
    stop(Sup).
