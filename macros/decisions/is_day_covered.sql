{#-
    Whether a complete fetch covers a day: inside its window, and not after the day of the fetch.
    Needs the CTE `fetches`.
-#}
{% macro is_day_covered(day) -%}
    exists (
        select 1
        from fetches
        where
            fetches.is_complete = 1
            and {{ day }} between fetches.ship_date_from and fetches.ship_date_to
            and {{ day }} <= fetches.fetched_on
    )
{%- endmacro %}
